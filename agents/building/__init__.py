"""Agents as people make them: a draft, saved as it is written, and its published versions."""
