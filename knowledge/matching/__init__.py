"""One thing done to all documents of a collection that match a filter, however many they are.

`walking` finds them, `orders` starts, `jobs` works in batches and notes what it did, by which it is
undone.
"""
