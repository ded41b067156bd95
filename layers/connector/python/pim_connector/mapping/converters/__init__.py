"""Text in, typed value out: the readers that ERP mappings and DAM sources share; no XML here."""
