"""Why a server cannot be as somebody wants it.

ServerRefused      the fields do not go together
DefinitionMoved    what was read is not what the tool is now
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class ServerRefused(Exception):
    """The text says what to do."""

    is_taken = _("Another server has this name.")
    is_local = _("Where a program is and how it is started is in the operator's file alone.")
    wants_token = _("Enter the token, or choose no authorization.")
    is_other = _("This is another server: enter its token.")
    nobody = _("There is no such team or person.")

    def __init__(self, why: Promise | str) -> None:
        super().__init__(str(why))


class DefinitionMoved(Exception):
    """Nothing was decided."""
