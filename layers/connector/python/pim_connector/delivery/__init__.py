"""Delivers one message of the product queue to the PIM and books what became of its records.

`worker` decides whether a message may go now, goes aside or comes back · `delivery` is the use
case · `triage` what needs no mapping · `line` one product on its way · `submission` the PIM's
answers line by line · `current` what the PIM holds now · `parents` records that wait for their
model · `booking` what is written down at the end · `programs` pinned mappings, compiled once.
"""
