"""The versions that the content of a document has had: one is searched, the others are kept."""
