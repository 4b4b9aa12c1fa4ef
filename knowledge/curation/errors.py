"""What can be in the way of an edit; each text says what to do."""

from knowledge.errors import KnowledgeError


class EditRefused(KnowledgeError):
    """The edit makes no sense as it is. The text is an English source string."""


class EditConflict(KnowledgeError):
    """Somebody, or indexing, was faster: what was to be edited is not there any more."""
