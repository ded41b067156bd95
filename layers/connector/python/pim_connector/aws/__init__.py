"""Adapters of AWS: one error translation, and one class for each service."""
