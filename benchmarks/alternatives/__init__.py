"""What people use instead: each a script by itself, written as its package's documentation does.

They run in `.local/bench`, with the packages of `requirements/bench.txt`:
`python SCRIPT URL EXPORT`. The code that makes a product of a record is theirs alone.
"""
