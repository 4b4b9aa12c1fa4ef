"""What can stop an outbound request. The texts are for the person who asked for it.

    OutboundError
    ├── AddressRefused      the address, or where its name leads, is not allowed
    ├── RedirectRefused     redirected where nobody may follow, or too often
    ├── ResponseTooLarge    more bytes than the purpose needs, counted after decompression
    ├── WrongContent        a media type or an encoding that nobody asked for
    ├── FetchTimeout        not finished in time, all redirects together
    └── Unreachable         no connection, or it broke

All are OSErrors: the libraries in between hand those on.
"""


class OutboundError(OSError):
    """The request was not made, or its answer is not used."""


class AddressRefused(OutboundError):
    """Nothing was sent there."""


class RedirectRefused(OutboundError):
    """The server redirects, and the purpose allows no (further) redirect."""


class ResponseTooLarge(OutboundError):
    """The answer was cut off at the limit and dropped."""


class WrongContent(OutboundError):
    """The answer is not of a type that the purpose can use."""


class FetchTimeout(OutboundError):
    """The answer took longer than the purpose allows."""


class Unreachable(OutboundError):
    """There is no server, or it broke the connection."""
