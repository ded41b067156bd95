"""Pages for people, on this machine: the local stack, its runs and inbox, and the mapping studio.

app          the routes, and what every request and answer must have
guard        refuses what another web page sends
connection   the local stack as the pages see it, up or not
overview, runs, inbox, studio   the pages
samples      exports to try a mapping on
previewing   one record through a mapping
workshop     that, in a process with bounds on time and memory

It listens on 127.0.0.1 only. Anything that changes something is a POST from a page of its own.
"""
