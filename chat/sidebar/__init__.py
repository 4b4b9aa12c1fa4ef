"""The list of conversations and the folders in it."""
