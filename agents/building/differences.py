"""What two versions say differently, field by field and word by word. Pure but for names."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from agents.building.content import Content
from agents.building.decoding import in_words as decoding_in_words
from agents.building.helping import in_words, names_of
from agents.building.limits import in_words as limits_in_words
from agents.guardrails.forms import in_one_line
from agents.models import Agent
from agents.tools.registry import TOOLS
from knowledge.models import Collection
from knowledge.switch_fields import LABELS

LABELS_OF = {
    "name": gettext_lazy("Name"),
    "emoji": gettext_lazy("Emoji"),
    "picture": gettext_lazy("Picture"),
    "description": gettext_lazy("Description"),
    "instructions": gettext_lazy("Instructions"),
    "model_name": gettext_lazy("Model"),
    "reasoning_effort": gettext_lazy("Thinking"),
    "temperature": gettext_lazy("Temperature"),
    "decoding": gettext_lazy("Decoding"),
    "max_answer_tokens": gettext_lazy("Tokens of answer"),
    "is_limited": gettext_lazy("Searches"),
    "collections": gettext_lazy("Collections"),
    "max_passages": gettext_lazy("Passages at most"),
    "context_tokens": gettext_lazy("Tokens of context"),
    "understanding": gettext_lazy("Understanding questions"),
    "tools": gettext_lazy("Tools"),
    "helpers": gettext_lazy("Other agents"),
    "limits": gettext_lazy("Limits of a run"),
    "guardrails": gettext_lazy("Guardrails"),
    "starters": gettext_lazy("Questions to start with"),
    "reuse": gettext_lazy("Answers are given again"),
    "reuse_seconds": gettext_lazy("For how long"),
}
# A word, a Chinese character, or what stands between.
PIECE = re.compile(r"[㐀-鿿]|[^\W㐀-鿿]+|\s+|[^\w\s]")
MOST_PIECES = 6000  # of each text: beyond that the comparison would take long


@dataclass(frozen=True, slots=True)
class Words:
    """`kind` is `same`, `old` (only the earlier one says it) or `new`."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    field: str
    label: str
    words: tuple[Words, ...]


def differences(user: User, before: Content, after: Content) -> list[Difference]:
    """What changed, in the order of the form; collections by the names that `user` may know."""
    names = _names(user, before, after)
    found = []
    for field, label in LABELS_OF.items():
        old, new = before.get(field), after.get(field)
        if _is_other(old, new):
            words = compare(said(field, old, names), said(field, new, names))
            found.append(Difference(field, str(label), tuple(words)))
    return found


def _is_other(old: Any, new: Any) -> bool:
    """A version from before there was such a field says nothing of it, as one that leaves it empty
    does."""
    return old != new and not (old is None and new in ({}, []))


def compare(old: str, new: str) -> Iterator[Words]:
    """Stretches of both texts in order; texts that are very long differ as a whole."""
    before, after = PIECE.findall(old), PIECE.findall(new)
    if max(len(before), len(after)) > MOST_PIECES:
        yield from (Words(kind, text) for kind, text in (("old", old), ("new", new)) if text)
        return
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            yield Words("same", "".join(before[a:b]))
            continue
        if b > a:
            yield Words("old", "".join(before[a:b]))
        if d > c:
            yield Words("new", "".join(after[c:d]))


def said(field: str, value: Any, names: Mapping[str, str]) -> str:
    """A field's value in words."""
    if field == "collections":
        unknown = _("a collection that you may not see, or that is gone")
        return _lines(names.get(pk, unknown) for pk in value or ())
    if field == "helpers":
        return _lines(in_words(value or (), names))
    if field in IN_WORDS:
        return str(IN_WORDS[field](value))
    return "" if value is None else str(value)


def _understood(value: Mapping[str, bool] | None) -> str:
    on_or_off = {True: _("on"), False: _("off")}
    said_of = value or {}
    known = (one for one in LABELS if one.value in said_of)
    return _lines(f"{LABELS[one]}: {on_or_off[said_of[one.value]]}" for one in known)


IN_WORDS: dict[str, Callable[[Any], Any]] = {
    "is_limited": lambda value: (
        _("only these collections") if value else _("all that the person asking may see")
    ),
    "picture": lambda value: _("a picture of its own") + f" ({value[-4:]})" if value else _("none"),
    "reuse": lambda value: Agent.Reuse(value).label if value else "",
    "reuse_seconds": lambda value: Agent.ReuseFor(value).label if value else "",
    "reasoning_effort": lambda value: (
        Agent.Effort(value).label if value else _("as the model does")
    ),
    "model_name": lambda value: value or _("the default model"),
    "understanding": _understood,
    "limits": lambda value: _lines(
        f"{label}: {number}" for label, number in limits_in_words(value or {}).items()
    ),
    "decoding": lambda value: _lines(
        f"{label}: {said}" for label, said in decoding_in_words(value or {}).items()
    ),
    "guardrails": lambda value: _lines(map(in_one_line, value or ())),
    "tools": lambda value: _lines(
        str(TOOLS[one].title) if one in TOOLS else one for one in value or ()
    ),
    "starters": lambda value: _lines(value or ()),
}


def summaries(contents: Sequence[Content]) -> list[str]:
    """Which fields each of them changed of the next, which is older; of the oldest, none."""
    found = [
        ", ".join(
            str(label)
            for field, label in LABELS_OF.items()
            if _is_other(old.get(field), new.get(field))
        )
        for new, old in pairwise(contents)
    ]
    return [*found, ""] if contents else []


def _names(user: User, *contents: Content) -> dict[str, str]:
    ids = {pk for content in contents for pk in content.get("collections", ())}
    found = Collection.objects.visible_to(user).filter(pk__in=ids)
    called = (one["agent"] for content in contents for one in content.get("helpers") or ())
    collections = {str(pk): name for pk, name in found.values_list("pk", "name")}
    return collections | names_of(user, called)


def _lines(lines: Iterable[Any]) -> str:
    return "\n".join(map(str, lines))
