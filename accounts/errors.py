"""What can go wrong with people and their rights.

AccountError
├── UnknownScope       a token was asked for with a scope that does not exist
├── MissingScope       a valid token is used for something its scopes do not cover
├── CsrfRefused        a browser session wrote without the CSRF token of its page
└── SharingRefused     a grant that cannot be given
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


class SharingRefused(AccountError):
    """The text says why the grant cannot be given."""
