"""What an operator does to a whole Parley: back it up, restore it, move it to a new version."""
