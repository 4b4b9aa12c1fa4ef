"""How many sentences of answers a source stands behind: by day, by agent and by model."""
