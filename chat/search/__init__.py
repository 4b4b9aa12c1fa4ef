"""Conversations found by their words, and everything else a person may jump to."""
