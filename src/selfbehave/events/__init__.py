"""Events: what happens during a run, as typed records. `views` show them.

Stages and engines emit events through a `Reporter`; they know nothing about its listeners.
"""
