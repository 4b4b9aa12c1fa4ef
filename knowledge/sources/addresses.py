"""Addresses of a site: which are the same page, which belong to a visit, which are traps. Pure."""

import re
from collections import Counter
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from security.outbound.errors import AddressRefused
from security.outbound.targets import Target, parse_target

LONGEST = 1000
DEEPEST_PATH = 20  # parts; what goes on is a place that leads into itself
MOST_REPEATED = 3  # times that one part of a path may come in it
MOST_QUERIES = 50  # of one path: calendars and filters have no end
# What says where a visitor came from, or who they are, and nothing about the page.
_TRACKING = re.compile(
    r"utm_\w+|gclid|fbclid|msclkid|mc_[ce]id|_ga|yclid|phpsessid|jsessionid|sid|sessionid|session_id",
    re.IGNORECASE,
)
# Endings of what no page is made of; the rest is asked for, and its type is then looked at.
_NO_PAGE = re.compile(
    r"\.(?:png|jpe?g|gif|webp|svg|ico|avif|bmp|tiff?|css|m?js|map|woff2?|ttf|otf|eot|mp[34]|webm|og[gv]"
    r"|wav|avi|mov|mkv|zip|gz|tgz|bz2|xz|7z|rar|tar|exe|dmg|iso|apk|deb|rpm|jar|wasm|bin)",
    re.IGNORECASE,
)


def tidy(address: str, base: str = "") -> str | None:
    """The address in the one spelling it is known by; None for what is no http(s) address."""
    try:
        parts = urlsplit(urljoin(base, address.strip()) if base else address.strip())
        query = [
            pair for pair in parse_qsl(parts.query, keep_blank_values=True)
            if not _TRACKING.fullmatch(pair[0])
        ]  # fmt: skip
        path = re.sub(r";jsessionid=[^/]*", "", parts.path, flags=re.IGNORECASE)
        kept = urlunsplit((parts.scheme, parts.netloc, path, urlencode(query), ""))
        return str(parse_target(kept))
    except (AddressRefused, ValueError):
        return None


def is_page(address: str) -> bool:
    """Whether something to read may be there, as far as the address tells."""
    path = urlsplit(address).path
    return not _NO_PAGE.fullmatch("." + path.rpartition("/")[2].rpartition(".")[2])


class Site:
    """What is asked for in one visit: one host, no place twice, no way without an end."""

    def __init__(self, start: Target) -> None:
        self._host, self._port = start.host, start.port
        self._queries: Counter[str] = Counter()

    def has(self, address: str) -> bool:
        """Whether it is of this site; the change from http to https is no other site."""
        target = parse_target(address)
        is_standard = {self._port, target.port} <= {80, 443}
        return target.host == self._host and (target.port == self._port or is_standard)

    def admits(self, address: str) -> bool:
        """Whether to ask for it, which counts. `address` is tidy."""
        if len(address) > LONGEST or not self.has(address) or not is_page(address):
            return False
        parts = urlsplit(address)
        names = [name for name in parts.path.split("/") if name]
        if len(names) > DEEPEST_PATH or max(Counter(names).values(), default=0) > MOST_REPEATED:
            return False
        if parts.query:
            self._queries[parts.path] += 1
            return self._queries[parts.path] <= MOST_QUERIES
        return True
