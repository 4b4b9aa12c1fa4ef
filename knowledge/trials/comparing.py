"""One question searched by each setting, and what moved from the first to the second."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from knowledge import viewers
from knowledge.glossary.selectors import find_entries
from knowledge.matches import mark_terms
from knowledge.models import Collection
from knowledge.reading import Run
from knowledge.retrieval import search
from knowledge.retrieval.reranking import Reranked
from knowledge.retrieval.reranking.types import Way
from knowledge.retrieval.types import Filters
from knowledge.retrieval.understanding import Understood, understand
from knowledge.soft_breaks import read_on
from knowledge.switches import Switch
from knowledge.trials.reranking import depth_for, rerank
from knowledge.trials.settings import Setting
from knowledge.types import Passage, SearchResult

RULES = frozenset({Switch.PARTS, Switch.FILTERS, Switch.GLOSSARY})
MATCHES = 16  # words listed for a hit
RANKERS: dict[Way, Any] = {
    "endpoint": _("a rerank model"),
    "cross_encoder": _("the model on this machine"),
    "listwise": _("the chat model"),
    "features": _("the search's own features, without a model"),
}


@dataclass(frozen=True, slots=True)
class Hit:
    """A found passage at its place. `other` is its place by the other setting, None: not there;
    `fused` the one it had before reranking, None: nobody reranked."""

    place: int
    passage: Passage
    runs: list[Run]
    matched: list[str]
    other: int | None = None
    fused: int | None = None

    @property
    def lexical(self) -> dict[str, Any] | None:
        return self.passage.ranks.get("lexical")

    @property
    def dense(self) -> dict[str, Any] | None:
        return self.passage.ranks.get("dense")

    @property
    def moved(self) -> int:
        """How many places it is higher here than there."""
        return 0 if self.other is None else self.other - self.place

    @property
    def fallen(self) -> int:
        return -self.moved


@dataclass(frozen=True, slots=True)
class Side:
    """What one setting found, how the question was understood by it, and who put what was found in
    another order."""

    setting: Setting
    found: SearchResult
    hits: list[Hit]
    understood: Understood | None = None
    reranked: Reranked | None = None

    @property
    def passages(self) -> tuple[Passage, ...]:
        return self.found.passages

    @property
    def ranker(self) -> str:
        """In words: the model's name, else what kind of reranker it was."""
        if self.reranked is None:
            return ""
        return self.reranked.model or str(RANKERS[self.reranked.way])


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, through whose eyes (None: their own), and where (None: everywhere)."""

    user: User
    eyes: viewers.Eyes | None = None
    collections: Sequence[UUID] | None = None


def try_setting(asking: Asking, query: str, setting: Setting) -> Side:
    """Raises what the embedder raises."""
    depth = depth_for(asking.collections, query) if setting.reranks else 0
    limit = max(setting.limit, depth)
    understood = _understood(asking, query) if setting.rules else None
    filters = both(understood.filters, setting.filters) if understood else setting.filters
    options: dict[str, Any] = {
        "also": understood.also if understood else (),
        "filters": filters,
        "version": setting.version,
        "alpha": setting.alpha,
    }
    if asking.eyes is None:
        found = search(asking.user, query, asking.collections, limit, **options)
    else:
        found = viewers.search_as(
            asking.eyes, asking.user, query, asking.collections, limit, **options
        )
    if not depth or len(found.passages) < 2:
        return Side(setting, found, describe(found), understood)
    places = {passage.chunk_id: place for place, passage in enumerate(found.passages, 1)}
    found, reranked = rerank(asking.user, found, depth, setting.limit)
    hits = [replace(hit, fused=places[hit.passage.chunk_id]) for hit in describe(found)]
    return Side(setting, found, hits, understood, reranked)


def _understood(asking: Asking, query: str) -> Understood:
    """By rules alone; whoever looks through other eyes learns of no glossary of somebody else."""
    within = asking.collections
    if asking.eyes is not None:
        owned = Collection.objects.owned_by(asking.user).values_list("pk", flat=True)
        within = [pk for pk in owned if asking.collections is None or pk in asking.collections]
    entries = find_entries(asking.eyes or asking.user, query, within)
    return understand(query, (), RULES, timezone.now(), entries=entries)


def describe(found: SearchResult) -> list[Hit]:
    texts = read_on(found.passages)
    pairs = zip(found.passages, texts, strict=True)
    return [_hit(place, *pair) for place, pair in enumerate(pairs, 1)]


def compare(first: Side, second: Side) -> tuple[Side, Side]:
    """Both, each hit with its place on the other side."""
    return _beside(first, second), _beside(second, first)


def in_both(first: Side, second: Side) -> int:
    return len(_places(first).keys() & _places(second).keys())


def both(one: Filters, other: Filters) -> Filters:
    """Narrowed by either; where both name the same kind of thing, by what both name."""
    starts = [at for at in (one.from_, other.from_) if at]
    ends = [at for at in (one.until, other.until) if at]
    return replace(
        one,
        file_types=_common(one.file_types, other.file_types),
        languages=_common(one.languages, other.languages),
        from_=max(starts, default=None),
        until=min(ends, default=None),
    )


def _common(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if one is None or other is None:
        return other if one is None else one
    return tuple(name for name in one if name in other)


def _beside(side: Side, other: Side) -> Side:
    places = _places(other)
    hits = [replace(hit, other=places.get(hit.passage.chunk_id)) for hit in side.hits]
    return replace(side, hits=hits)


def _places(side: Side) -> dict[UUID, int]:
    return {hit.passage.chunk_id: hit.place for hit in side.hits}


def _hit(place: int, passage: Passage, text: str) -> Hit:
    runs = mark_terms(text, passage.ranks.get("terms_matched", []))
    matched = dict.fromkeys(run.text.lower() for run in runs if run.is_marked)
    return Hit(place, passage, runs, list(matched)[:MATCHES])
