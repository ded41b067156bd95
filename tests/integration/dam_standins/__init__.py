"""Small stand-ins for DAMs nobody can call from a test: they answer in the documented shape."""
