"""Why a question about a call cannot be answered so.

ApprovalRefused
├── AlreadyDecided     somebody answered it before, or the call was made
├── TooLate            its time is over
├── OtherCall          what was shown is not what would be done
└── NotForSoLong       such a call may be allowed for a shorter time only
"""

from django.utils.translation import gettext as _


class ApprovalRefused(Exception):
    """The text says what to do."""


class AlreadyDecided(ApprovalRefused):
    def __init__(self) -> None:
        super().__init__(_("This was decided before. Ask again if you want something else."))


class TooLate(ApprovalRefused):
    def __init__(self) -> None:
        super().__init__(_("Nobody decided in time, and the agent went on without it. Ask again."))


class OtherCall(ApprovalRefused):
    def __init__(self) -> None:
        super().__init__(
            _("What you were shown is not what would be done. Load the page again and compare.")
        )


class NotForSoLong(ApprovalRefused):
    def __init__(self) -> None:
        super().__init__(
            _(
                "This call cannot be approved for so long, because of what was read before it. "
                "Approve it for a shorter time."
            )
        )
