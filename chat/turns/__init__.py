"""A question on its way to an answer: its rows, the runner that works on it, its end."""
