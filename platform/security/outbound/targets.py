"""A URL is read once, strictly; every later step uses the parts, never the text.

What two parsers could read differently is refused instead of repaired: white space, backslashes,
credentials, escapes in the host, numbers that are almost IPv4 addresses, dot segments.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import NoReturn
from urllib.parse import quote, urljoin

import idna
from django.utils.translation import gettext_lazy as _
from yarl import URL

from security.outbound.errors import AddressRefused

LONGEST = 8_192
PORTS = {"http": 80, "https": 443}
# Names that lead inside, whatever a resolver makes of them: RFC 6761, 6762, 8375 and clusters.
INTERNAL = ("localhost", "localdomain", "local", "internal", "intranet", "home.arpa", "svc")

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ud800-\udfff]")
_URL = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?#]+)(?P<rest>[^#]*)(?:#.*)?", re.I)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[^\[\]:@%]+)(?::(?P<port>\d{1,5}))?", re.I)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_DOT_SEGMENT = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:/|$)", re.I)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes. `host` is an IP address or a name in ASCII."""

    scheme: str
    host: str
    port: int
    path: str  # with the query, percent-encoded

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"

    def as_url(self) -> URL:
        """For aiohttp: what was checked, in the one spelling that can be read one way only."""
        return URL(str(self), encoded=True)

    def join(self, reference: str) -> "Target":
        """Where a redirect or a link of this page leads; raises AddressRefused."""
        return parse_target(urljoin(str(self), reference))


def parse_target(url: str) -> Target:
    """Read an absolute http or https URL; AddressRefused for everything else, and if ambiguous."""
    if len(url) > LONGEST or _FORBIDDEN.search(url):
        _refuse()
    found = _URL.fullmatch(url)
    authority = _AUTHORITY.fullmatch(found["authority"]) if found else None
    if not found or not authority:
        _refuse()
    scheme = found["scheme"].lower()
    port = int(authority["port"] or PORTS[scheme])
    path = quote(found["rest"], safe="/?%:@!$&'()*+,;=~-._[]|")
    if not 0 < port < 65_536 or _DOT_SEGMENT.search(path.partition("?")[0]):
        _refuse()
    return Target(scheme, _host(authority["host"]), port, _rooted(path))


def _rooted(path: str) -> str:
    return path if path.startswith("/") else f"/{path}"


def _host(text: str) -> str:
    if text.startswith("["):
        try:
            return str(IPv6Address(text[1:-1]))
        except ValueError:
            _refuse()
    name = _ascii_name(text)
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(IPv4Address(name))  # four plain decimal numbers, nothing shorter or octal
        except ValueError:
            _refuse()
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        _refuse()
    if len(labels) < 2 or any(name.endswith(f".{suffix}") for suffix in INTERNAL):
        raise AddressRefused(_("%(name)s is a name of an internal network.") % {"name": name})
    return name


def _ascii_name(text: str) -> str:
    """The name as it is looked up (UTS 46: full-width digits and circled letters are plain)."""
    name = text.lower().removesuffix(".")
    if name.isascii():
        return name
    try:
        return idna.encode(name, uts46=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        _refuse()


def _refuse() -> NoReturn:
    # Not repeated in the text: what people paste here holds passwords at times.
    raise AddressRefused(_("This is not a plain http or https address."))
