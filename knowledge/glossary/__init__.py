"""Words for one thing, kept by the curators of a collection: written, imported, and found by the
words of a question (`knowledge.retrieval.understanding.glossary`)."""
