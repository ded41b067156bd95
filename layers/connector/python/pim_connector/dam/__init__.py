"""DAMs as described in a file: what changed, in which order, since when; never a vendor's name.

source.py, auth_kinds.py, paging_kinds.py, event_kinds.py the types of a source file
loading.py                                                the file, read and checked
template.py, stamps.py                                     the little languages in it
http.py, auth.py, waits.py                                asking a DAM
listing.py                                                one page of changes
walk.py, requery.py, sorted_pages.py, plain_pages.py      which page to ask for next
cursor.py                                                 how far a source was read, and who reads
asset_messages.py, asset_queue.py                         what travels to the asset mapper
polling.py                                                the use case of dam_poller
"""
