"""What can go wrong with what people keep for their agents.

AgentError
└── TooManyPrompts     a person has as many saved prompts as one may have
"""

from django.utils.translation import gettext as _


class AgentError(Exception):
    """Something a person can put right; the text says how."""


class TooManyPrompts(AgentError):
    def __init__(self, most: int) -> None:
        super().__init__(
            _("You may have %(most)s saved prompts. Delete some that you no longer use.")
            % {"most": most}
        )
