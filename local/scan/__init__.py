"""`make scan`: the template against rules of good practice, packages against known weaknesses."""
