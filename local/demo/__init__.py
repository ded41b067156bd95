"""The demo: a sample export goes through the whole stack, and what arrived is checked.

assortment   what a small outdoor shop sells: the truth that everything else is made from
export       the same as an ERP's XML file, in the ERP's own words and formats
expectation  the same as the PIM should show it, made without the mapping engine
arrival      what the PIM really has, compared with the expectation
run          the demo itself: stack, upload, progress, summary, check

`mapping.yaml` and `catalog.json` are what a user would write and what a PIM would have.
"""
