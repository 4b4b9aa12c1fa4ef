"""How conversations end: deleted, temporary, scrubbed, left behind, dropped by month."""
