"""A DAM with bad habits, as a real HTTP server: what the connector and its tests are pointed at.

habits     each bad habit of real DAMs as a switch
library    the assets, their versions, and who sees which when
listing    lists as such a DAM's database or index would give them
dialects   the same lists in the API styles DAMs have
images     a picture for each asset
events     announcing changes, signed in every scheme, lost and repeated
server     all of it as an ASGI application; `python -m simulators.dam --port 8090`
"""
