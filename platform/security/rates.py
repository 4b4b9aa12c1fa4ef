"""Rates and the arithmetic of buckets, without I/O.

A bucket is one number: the moment at which it is full again (the generic cell rate algorithm of
ITU-T I.371). `amount` are free at once, then one every `seconds / amount`.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

SHAPE = re.compile(r"([1-9]\d{0,8})/([1-9]\d{0,3})?([smhd])/([a-z]+)")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
OFF = "off"


class Per(StrEnum):
    """Whose bucket it is."""

    PERSON = "person"
    TOKEN = "token"  # noqa: S105 (one bucket for each API token)
    ADDRESS = "address"  # of the network; of IPv6 the first 64 bits
    ACCOUNT = "account"  # the e-mail that somebody tries to sign in with
    GUESSER = "guesser"  # that e-mail from one address


@dataclass(frozen=True, slots=True)
class Rate:
    amount: int
    seconds: int
    per: Per

    @property
    def interval(self) -> float:
        """Milliseconds until one more is free."""
        return 1000 * self.seconds / self.amount


def parse_rates(text: str) -> tuple[Rate, ...]:
    """`120/m/person,1200/10m/address`, or `off`. Raises ValueError."""
    if text.strip() == OFF:
        return ()
    return tuple(_parse(part.strip()) for part in text.split(","))


def _parse(text: str) -> Rate:
    found = SHAPE.fullmatch(text)
    if found is None or found[4] not in set(Per):
        kinds = ", ".join(Per)
        raise ValueError(f"a rate looks like 120/m/person or 20/5m/address; kinds are {kinds}")
    return Rate(int(found[1]), int(found[2] or 1) * UNITS[found[3]], Per(found[4]))


def fill(full_at: float | None, now: float, rate: Rate, count: int = 1) -> tuple[float, float]:
    """When the bucket is full again after `count` more, and how long to wait for that;
    milliseconds."""
    after = max(full_at or now, now) + count * rate.interval
    return after, max(0.0, after - now - 1000 * rate.seconds)
