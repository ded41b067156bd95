"""The whole stack on one machine: emulated AWS, simulators, and the template deployed into it.

servers        processes that answer on a port: started, waited for, stopped
record         which servers run now, in `.local/run/stack.json`
builds         what a stack is deployed from, kept by content
emulator       MiniStack: S3, SQS, DynamoDB, Lambda, EventBridge … in one process
shared_layers  MiniStack's layers, unpacked once
deployment     `sam build` and `sam deploy` of template.yaml into the emulator
fixups         what CloudFormation in the emulator leaves out
lifecycle      up, down: all of the above in order

Everything listens on 127.0.0.1 only, because the emulator executes whatever is deployed into it.
"""
