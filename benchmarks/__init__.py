"""Measurements of the whole product on its own parts: `make bench`."""
