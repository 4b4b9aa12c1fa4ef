"""`make shots`: every page and state, both themes, desk and phone, three languages."""
