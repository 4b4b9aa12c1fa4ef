"""Golden questions: what a collection must find, how well it does, and what that decides.

`services` writes questions, `importing` and `proposing` bring many; `judging` (pure) turns what was
found into figures, `running` asks, `comparing` (pure) tells a change from noise; `gate` holds
changes back, `tuning` looks for better weights, `approved` are answers that a person pinned.
"""
