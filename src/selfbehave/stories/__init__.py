"""A user's own stories: what they say, and the scenarios that are asked for with them.

The readers are pure functions from bytes to typed records. Only `reading` opens files.
"""
