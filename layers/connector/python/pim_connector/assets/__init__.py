"""The asset side of the DAM flow, from a DAM's properties to an accepted asset in the PIM.

mapping    what a user writes: which assets, which family, which code, which attributes
program    that, compiled: properties in, a mapped asset (or why not) out
shaping    a value as the PIM's attribute wants it
"""
