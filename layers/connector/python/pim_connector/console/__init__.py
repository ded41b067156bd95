"""The console: what people see and decide, on AWS, on one machine and inside the PIM.

`sign_in.Door` says who is there (sessions, one-time codes, the PIM's users); pages ask it.
"""
