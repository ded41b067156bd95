"""A DAM's calls to us: verified over the raw bytes, queued, answered. Nothing else happens here.

request       a request as it came over the wire, and what a verifier may say of it
verification  one small function per scheme, chosen by the source file
envelopes     what SNS, EventBridge, SQS and S3 wrap around an event
extraction    which assets an event is about
reception     all of it in order: size, verification, replay, queue, answer
"""
