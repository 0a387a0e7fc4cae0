"""The clock's door: what happens because time passed and not because somebody knocked.

`runner` leases due jobs and calls their handlers, `schedule` keeps recurring jobs alive, `loop` is the thread
around a runner. Handlers call room verbs, open their own transactions, and are idempotent.
"""
