"""In which time zone a person reads times."""

from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones


@cache
def list_time_zones() -> tuple[str, ...]:
    """Places of the world by their area, without the historical names."""
    areas = (
        "Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian",
        "Pacific",
    )  # fmt: skip
    return (
        "UTC",
        *sorted(name for name in _names() if name.split("/")[0] in areas),
    )


@cache
def _names() -> frozenset[str]:
    """Read from the disk once: that takes as long as a page."""
    return frozenset(available_timezones())


def known_time_zone(name: str) -> str:
    """The name, or empty for the server's. Raises ValueError."""
    if name and name not in _names():
        raise ValueError("Name a time zone of the IANA database, such as Europe/Berlin.")
    return name


def time_zone_of(user: Any) -> ZoneInfo | None:
    """None: the server's."""
    name = getattr(user, "time_zone", "")
    return ZoneInfo(name) if name and name in _names() else None
