"""Bytes of any kind at every place where the connector reads what others wrote."""
