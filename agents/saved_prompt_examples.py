"""Prompts shown to those who have none yet, in the language of the page."""

from django.utils.translation import gettext as _

from agents.saved_prompts import Words


def list_examples() -> list[Words]:
    """Made to be used as they are, or taken and changed."""
    return [
        Words(
            _("Summarise"),
            _(
                "Summarise what our documents say about {{topic}} in five points, the most "
                "important first. Cite the passage behind each."
            ),
        ),
        Words(
            _("Compare"),
            _(
                "Compare {{first}} with {{second}} in a table: what they have in common, where "
                "they differ, and which suits {{purpose}} better."
            ),
        ),
        Words(
            _("Explain simply"),
            _("Explain {{topic}} to somebody who has never heard of it, with one example."),
        ),
        Words(
            _("Draft an e-mail"),
            _("Write a short, friendly e-mail to {{recipient}} about {{subject}}."),
        ),
        Words(
            _("Checklist"),
            _("What are the steps for {{task}}? Answer as a list of boxes that I can tick off."),
        ),
    ]
