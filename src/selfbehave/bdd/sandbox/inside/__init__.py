"""What runs inside the sandbox, beside the generated code.

These files are copied into the sandbox and imported there as the package `inside`: they import
nothing of ours but one another. `alone` runs one pair; `waiting` forks for many.
"""
