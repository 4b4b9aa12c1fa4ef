"""Limits on what may be used: whose, of what, for how long; and the ledger that makes them bind."""
