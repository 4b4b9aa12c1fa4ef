"""What can be wrong with an entry or a file of them; the text is for the person who wrote it."""

from knowledge.errors import KnowledgeError


class GlossaryRefused(KnowledgeError):
    """Nothing was changed; the text says why, in the reader's language."""
