"""What was worked out once and may be used again: `@cached` for any async function.

Redis shared by all processes, a small layer in each process in front of it, one making of an entry
at a time. A Redis that is away is a miss, never an error; nothing is kept here alone.
"""
