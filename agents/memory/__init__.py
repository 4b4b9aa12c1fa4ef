"""What the assistant remembers about a person: in their own words, and only if they want it to."""
