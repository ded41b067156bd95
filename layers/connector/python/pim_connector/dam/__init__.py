"""DAMs as described in a file: what changed, in which order, since when; never a vendor's name.

source, auth_kinds, paging_kinds, event_kinds   the types of a source file
loading                                         the file, read and checked
template, stamps                                the little languages in it, beside JMESPath
http, auth, waits                               asking a DAM
client, listing, rows                           its lists as pages, its assets by id
walk, requery, sorted_pages, plain_pages        which page to ask for next, and when it is the last
pages, numbering, order                         what they share
cursor                                          how far a source was read
asset_messages, handover                        what travels to the asset mapper
polling, rounds                                 the use case of dam_poller
"""
