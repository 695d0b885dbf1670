"""The code that runs inside the sandbox, besides the generated code.

These files are copied into the sandbox and imported there as the package `inside`. They import none
of our other code. `alone` runs one pair; `waiting` forks for many.
"""
