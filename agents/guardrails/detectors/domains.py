"""Addresses that lead to a host which is not allowed."""

import re
from collections.abc import Collection, Iterator
from urllib.parse import urlsplit

from agents.guardrails.types import Span

_ENDINGS = (
    "com|org|net|io|dev|app|ai|co|me|info|biz|xyz|site|online|top|shop|cc|tv|gg|sh|ly|to|eu|uk|de|"
    "fr|es|it|nl|ch|at|be|se|no|fi|dk|pl|ru|ua|us|ca|au|nz|jp|kr|cn|tw|hk|sg|in|br|test|example"
)
_STOPS = r"\s<>\"'`，。、；！？（）【】「」《》\]}"
_ADDRESS = re.compile(
    rf"(?:[a-z][a-z0-9+.-]{{0,20}}:)?[/\\]{{2}}[^{_STOPS}]+"
    r"|(?<![\w@./-])(?:www\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+"
    rf"(?:{_ENDINGS})(?![\w-])(?!\.\w)(?!\()[^{_STOPS})]*"
    r"|(?<![\w.+-])[\w.+-]+@(?:[a-z0-9-]+\.)+[a-z]{2,24}(?![\w-])",
    re.IGNORECASE,
)
_MAIL = re.compile(r"[^/?#:]+@[^/?#:@]+\Z")
_BEGUN = re.compile(rf"(?<![^{_STOPS}])[^{_STOPS}]++\Z")
_TRAILING = ".,;:!?)*_\"'"


def strange_addresses(text: str, allowed: Collection[str], start: int = 0) -> Iterator[Span]:
    """Links, bare names of hosts and e-mail addresses; a host that is allowed brings those below
    it along."""
    for found in _ADDRESS.finditer(text, start):
        address = found[0].rstrip(_TRAILING)
        host = host_of(address)
        if host and not any(host == one or host.endswith(f".{one}") for one in allowed):
            yield Span(found.start(), found.start() + len(address), "link")


def address_at_the_end(text: str, start: int = 0) -> int:
    """Where that begins which reaches the end: an address in it may lead elsewhere yet."""
    begun = _BEGUN.search(text, start)
    return begun.start() if begun else len(text)


def host_of(address: str) -> str:
    """As a browser would go there; empty where it is no address of a host. Whoever names a person
    or no port before it wants it to be read wrongly."""
    address = address.replace("\\", "/")
    try:
        if _MAIL.match(address):
            host = address.rpartition("@")[2]
        else:
            parts = urlsplit(address if "//" in address else f"//{address}")
            host = parts.hostname or ""
            if "@" in parts.netloc or (host and parts.port == 0):
                return "?"
        if not host.isascii():
            host = host.encode("idna").decode()
    except (ValueError, UnicodeError):
        return "?"  # nobody knows where it leads
    return host.strip(".").lower()
