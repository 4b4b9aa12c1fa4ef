"""Embedding versions: vectors of several models, or kept in several ways, beside each other."""
