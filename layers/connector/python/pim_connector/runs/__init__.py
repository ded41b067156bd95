"""The books of every file's run: what was read, what was sent, what became of each record.

`run` the header and its phases · `registry` which runs there are and whose turn it is ·
`splits` the splitter's windows and checkpoints · `deliveries` the mapper's message records ·
`parking` records that wait for their parent · `leases` one split per source at a time ·
`announcements` what other programs are told · `table` the DynamoDB table beneath.
"""
