"""Words of a search of conversations that narrow it: days ("last week", "上周", "since May 3") and
an agent ("agent:Law", "智能体：法务"). What they stand for is told; each can be left to be words.
"""

import re
from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _

from accounts.models import User
from agents.models import Agent
from chat.search.filters import Wanted
from knowledge.retrieval.understanding import days
from knowledge.retrieval.understanding.wording import folded, tidy

KINDS = ("agent", "dates")
AGENT = re.compile(r"(?:\bagent|智能体|代理)\s*:\s*(?=\S)")
MOST_AGENTS = 300  # whose names are looked at
_DAYS = [
    *((re.compile(rf"(?<!\w)(?:{one.pattern})(?!\w)"), one.mean) for one in days.ENGLISH),
    *((re.compile(rf"(?:{one.pattern})的?"), one.mean) for one in days.CHINESE),
]
_SIGNS = "\"'“”「」"


@dataclass(frozen=True, slots=True)
class Chip:
    """Words that narrow, as they were typed, and what to: an agent by its `name`, or days, of which
    the first and the last count."""

    kind: str
    words: str
    name: str = ""
    since: date | None = None
    until: date | None = None
    agent: str = ""  # its slug


@dataclass(frozen=True, slots=True)
class Narrowed:
    """`words` are what is left to be found."""

    words: str
    wanted: Wanted
    chips: tuple[Chip, ...] = ()


def narrow(user: User, query: str, now: datetime, without: Container[str] = ()) -> Narrowed:
    """What the query narrows to, each kind once; `now` is in the person's time zone. Of a kind that
    is in `without`, and where there is no such agent for `user`, words are words."""
    left, wanted, chips = query, Wanted(), []
    for kind in KINDS:
        found = None if kind in without else RECOGNISE[kind](user, left, now.date())
        if found is None:
            continue
        chip, start, end = found
        chips.append(chip)
        left = tidy(f"{left[:start]} {left[end:]}")
        wanted = replace(
            wanted, agent=chip.agent or wanted.agent, since=chip.since or wanted.since,
            until=chip.until or wanted.until,
        )  # fmt: skip
    return Narrowed(left, wanted, tuple(chips))


Found = tuple[Chip, int, int]


def _agent(user: User, query: str, _today: date) -> Found | None:
    """The agent with the longest name that stands there, else the first whose name begins so."""
    text = folded(query)
    marker = AGENT.search(text)
    if marker is None:
        return None
    at = marker.end() + (text[marker.end()] in _SIGNS)
    rest = text[at:]
    begun = re.match(r"[^\s\"'“”「」]*", rest)
    rows = Agent.objects.visible_to(user).order_by("name", "pk")
    told = [
        (slug, name, _(name) if is_builtin else name)
        for slug, name, is_builtin in rows.values_list("slug", "name", "is_builtin")[:MOST_AGENTS]
    ]
    named = [
        (folded(said), slug, shown)
        for slug, name, shown in told
        for said in (shown, name, slug)
        if said
    ]
    whole = [one for one in named if re.match(rf"{re.escape(one[0])}(?!\w)", rest)]
    if whole:
        said, slug, name = max(whole, key=lambda one: len(one[0]))
        end = at + len(said)
    else:
        word = begun.group() if begun else ""
        started = [one for one in named if word and one[0].startswith(word)]
        if not started:
            return None
        (_said, slug, name), end = started[0], at + len(word)
    end += end < len(text) and text[end] in _SIGNS
    return Chip("agent", query[marker.start() : end], name, agent=slug), marker.start(), end


def _dates(_user: User, query: str, today: date) -> Found | None:
    """The first way of saying days that there is in it and that means any."""
    text = folded(query)
    for pattern, mean in _DAYS:
        found = pattern.search(text)
        span = mean(found, today) if found else None
        if found is None or span is None:
            continue
        first, behind = span
        until = behind - timedelta(1) if behind else None
        words = tidy(query[found.start() : found.end()]).removesuffix("的")
        return Chip("dates", words, since=first, until=until), found.start(), found.end()
    return None


RECOGNISE: dict[str, Callable[[User, str, date], Found | None]] = {"agent": _agent, "dates": _dates}
