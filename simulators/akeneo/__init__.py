"""A stand-in for Akeneo PIM: a real HTTP server with the real one's rules and messages."""
