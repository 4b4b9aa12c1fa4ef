"""What a site wants of robots, asked once a visit and a server (RFC 9309)."""

import time
from collections.abc import Callable
from urllib.parse import urlsplit

from protego import Protego

from knowledge.sources.courtesy import take_turn
from knowledge.sources.outside import ROBOTS, get
from security.outbound.errors import OutboundError

NAME = "Parley"
LONGEST_PAUSE = 30.0


class Robots:
    """Who may be asked for what, and how often; every server has a clock of its own, which all
    visits have in common (`courtesy`)."""

    def __init__(self, pause: float, check: Callable[[], None]) -> None:
        self._pause = pause
        self._check = check
        self._rules: dict[str, Protego | None] = {}
        self._next: dict[str, float] = {}
        self._slowed: dict[str, float] = {}

    def admit(self, address: str) -> bool:
        """False where the site does not want robots, also while it cannot say."""
        rules = self._rules_of(address)
        return rules is not None and bool(rules.can_fetch(address, NAME))

    def can_tell(self, address: str) -> bool:
        """Whether the site has said what it wants."""
        return self._rules_of(address) is not None

    def wait(self, address: str) -> None:
        """Until the server may be asked again."""
        origin = _origin(address)
        self._sleep(self._next.get(origin, 0.0) - time.monotonic())
        rules = self._rules.get(origin)
        asked = float(rules.crawl_delay(NAME) or 0) if rules else 0.0
        pause = max(self._pause, min(asked, LONGEST_PAUSE), self._slowed.get(origin, 0.0))
        while left := take_turn(origin, pause):
            self._sleep(left)
        self._next[origin] = time.monotonic() + pause

    def _sleep(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            self._check()
            time.sleep(min(left, 0.25))

    def slow_down(self, address: str) -> None:
        """The server said that it is too much: twice the pause from now on."""
        origin = _origin(address)
        pause = self._slowed.get(origin, self._pause)
        self._slowed[origin] = min(2 * pause, LONGEST_PAUSE)

    def sitemaps(self, address: str) -> list[str]:
        rules = self._rules_of(address)
        return list(rules.sitemaps)[:20] if rules else []

    def _rules_of(self, address: str) -> Protego | None:
        origin = _origin(address)
        if origin not in self._rules:
            self._rules[origin] = _ask(origin)
        return self._rules[origin]


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _ask(origin: str) -> Protego | None:
    """No rules are no limits; a server in trouble is left alone."""
    try:
        answer = get(f"{origin}/robots.txt", ROBOTS)
    except OutboundError:
        return None
    if answer.status >= 500 or answer.status == 429:
        return None
    text = answer.body.decode(errors="replace") if 200 <= answer.status < 300 else ""
    return Protego.parse(text)
