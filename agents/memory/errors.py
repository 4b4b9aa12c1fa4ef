"""What can go wrong with memories.

MemoryRefused
├── NothingToRemember   the text is empty
├── AlreadyRemembered   the same text is there
└── MemoryFull          there are as many as a person may have
"""

from django.utils.translation import gettext as _


class MemoryRefused(Exception):
    """Something a person can put right; the text says how."""


class NothingToRemember(MemoryRefused):
    def __init__(self) -> None:
        super().__init__(_("Write what should be remembered."))


class AlreadyRemembered(MemoryRefused):
    def __init__(self) -> None:
        super().__init__(_("This is remembered already."))


class MemoryFull(MemoryRefused):
    def __init__(self, most: int) -> None:
        super().__init__(_("Memory holds %(most)s things. Delete some first.") % {"most": most})
