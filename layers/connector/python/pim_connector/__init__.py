"""Everything of the connector that runs in Lambda. See docs/architecture.md for the map."""
