"""Files that go with a question."""
