"""Answers that quote what is not said any more: found when they are read, stored nowhere."""

from chat.models import Message


def changed_numbers(answer: Message) -> list[int]:
    """The numbers of its citations whose words are in no current version of their documents.

    Of citations that were loaded with `with_changes`; others tell nothing.
    """
    changed = {c.n for c in answer.citations.all() if getattr(c, "has_changed", False)}
    return sorted(changed)
