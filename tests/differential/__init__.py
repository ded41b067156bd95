"""The reader against lxml.iterparse, on generated files: any difference is a fault."""
