"""`sam local invoke` for real: functions in containers, against the local stack.

engine     a Docker engine: the one that is there, or Debian's, started for the time being
image      a base image made of this machine's own Python, so that no registry is asked
bridge     lets containers reach the local stack, which listens on the loopback address only
invoking   one function with one event
"""
