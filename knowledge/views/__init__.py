"""The knowledge pages. Each query is limited to what the person may see or change."""
