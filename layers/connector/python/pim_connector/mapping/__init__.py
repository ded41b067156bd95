"""The mapping language: one YAML file says how an ERP's XML becomes products of the PIM."""
