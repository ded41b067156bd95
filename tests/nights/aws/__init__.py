"""AWS in one process, at a clock of its own, exact where the connector relies on it."""
