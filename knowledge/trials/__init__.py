"""Trying the search: one question by two settings, side by side, as oneself or as somebody else."""
