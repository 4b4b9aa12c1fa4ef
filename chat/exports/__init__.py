"""Conversations to take away."""
