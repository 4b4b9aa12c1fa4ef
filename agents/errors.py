"""What can go wrong with what people keep for their agents.

AgentError
├── TooManyPrompts     a person has as many saved prompts as one may have
├── AgentRefused       there cannot be such an agent, or not of this person; the text says why
│   └── Unpublishable  a draft that nobody could use as it is
└── DraftChanged       somebody, or the same person in another tab, has saved the draft meanwhile
"""

from collections.abc import Sequence

from django.utils.translation import gettext as _


class AgentError(Exception):
    """Something a person can put right; the text says how."""


class TooManyPrompts(AgentError):
    def __init__(self, most: int) -> None:
        super().__init__(
            _("You may have %(most)s saved prompts. Delete some that you no longer use.")
            % {"most": most}
        )


class AgentRefused(AgentError):
    """Of one who may not have it, or with what cannot be."""


class Unpublishable(AgentRefused):
    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = tuple(reasons)


class DraftChanged(AgentError):
    def __init__(self) -> None:
        super().__init__(
            _("This draft was changed elsewhere meanwhile. Load it again, or save yours over it.")
        )
