"""From an ERP's export to products in the PIM."""
