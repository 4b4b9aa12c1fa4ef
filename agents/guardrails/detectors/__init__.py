"""What is looked for in texts: pure functions from a text to spans.

All take the place to begin at and look behind it for what stands before, so that a text can be
looked at piece by piece and nothing is found otherwise than in the whole.
"""
