"""What can go wrong with people and their rights.

AccountError
├── UnknownScope       a token was asked for with a scope that does not exist
├── MissingScope       a valid token is used for something its scopes do not cover
├── CsrfRefused        a browser session wrote without the CSRF token of its page
├── WrongPassword      the password that was asked for once more is another one
├── LastAdministrator  whoever wants to leave is the only one who could let anybody in
├── SharingRefused     a grant that cannot be given
├── PictureRefused     a picture of a person that cannot be taken
└── TeamRefused        a team that cannot be changed so
"""

from collections.abc import Iterable

from django.utils.translation import gettext as _


class AccountError(Exception):
    """Something a person can put right; the text says how."""


class UnknownScope(AccountError):
    def __init__(self, unknown: Iterable[str], known: Iterable[str]) -> None:
        super().__init__(
            _("Unknown scope: %(unknown)s. Choose among %(known)s.")
            % {"unknown": ", ".join(unknown), "known": ", ".join(known)}
        )


class MissingScope(AccountError):
    def __init__(self, needed: Iterable[str], present: Iterable[str]) -> None:
        self.needed = tuple(needed)
        super().__init__(
            _("This needs a token with the scope %(needed)s; yours has %(present)s.")
            % {"needed": _(" or ").join(self.needed), "present": ", ".join(present)}
        )


class CsrfRefused(AccountError):
    def __init__(self) -> None:
        super().__init__(
            _(
                "Requests with a session cookie must carry the page's CSRF token in the "
                "X-CSRFToken header. Reload the page, or use an API token instead."
            )
        )


class WrongPassword(AccountError):
    def __init__(self) -> None:
        super().__init__(_("This is not your password. Type the one you sign in with."))


class PictureRefused(AccountError):
    pass


class LastAdministrator(AccountError):
    def __init__(self) -> None:
        super().__init__(
            _(
                "You are the only administrator: without you nobody could let people in or put "
                "anything right. Make somebody else an administrator first."
            )
        )


class SharingRefused(AccountError):
    """The text says why the grant cannot be given."""


class TeamRefused(AccountError):
    """The text says why the team cannot be changed so."""
