"""Everything that rules find in a question, as the queries and filters of one search."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from knowledge.analyzer import analyze
from knowledge.retrieval.types import NO_FILTERS, Filters, Query, Way
from knowledge.retrieval.understanding.filters import Recognised, as_filters, recognise
from knowledge.retrieval.understanding.following import standing_alone
from knowledge.retrieval.understanding.glossary import other_words
from knowledge.retrieval.understanding.splitting import parts_of
from knowledge.retrieval.understanding.wording import tidy
from knowledge.switches import Switch

LONGEST = 1_000  # characters; what is longer was pasted, and is searched for as it is
PART_WEIGHT = 0.7
MOST_QUERIES = 10


@dataclass(frozen=True, slots=True)
class Understood:
    """What is searched for: the first query ends with the person's own words, as they are.

    `recognised` are all narrowings that were found; `filters` are those of them that count.
    `entries` are the glossaries' that were looked at for it.
    """

    queries: tuple[Query, ...]
    filters: Filters = NO_FILTERS
    recognised: tuple[Recognised, ...] = ()
    entries: tuple[tuple[str, ...], ...] = ()

    @property
    def first(self) -> Query:
        return self.queries[0]

    @property
    def also(self) -> tuple[Query, ...]:
        return self.queries[1:]

    @property
    def is_plain(self) -> bool:
        """Nothing is searched for but the question."""
        return not (self.also or self.recognised) and self.first.way is Way.ORIGINAL

    def with_more(self, queries: Sequence[Query]) -> "Understood":
        """Also these, each text once."""
        known = {query.text: query for query in self.queries}
        for query in queries:
            known.setdefault(query.text, query)
        return replace(self, queries=tuple(known.values())[:MOST_QUERIES])


def understand(
    question: str,
    asked: Sequence[str],
    switches: Collection[Switch],
    now: datetime,
    *,
    entries: Sequence[Sequence[str]] = (),
    without: Collection[str] = (),
) -> Understood:
    """By rules alone. `asked` are the person's earlier questions, `entries` the glossaries' that
    may apply, `without` kinds of narrowing that the person does not want; `now` is aware."""
    alone = standing_alone(question, asked) if Switch.FOLLOW_UPS in switches else question
    first = Query(alone, Way.ORIGINAL if alone == question else Way.STANDALONE)
    found = Understood((first,))
    if not question or len(question) > LONGEST:
        return found
    rest = question
    if Switch.FILTERS in switches and (recognised := recognise(question, now)):
        recognised = tuple(replace(one, counts=one.kind not in without) for one in recognised)
        kept = [one for one in recognised if one.counts]
        rest = _without_words(question, kept)
        found = replace(found, filters=as_filters(kept), recognised=recognised)
        if rest != question and analyze(rest):
            found = found.with_more([Query(rest, Way.REWRITE)])
    if Switch.PARTS in switches:
        found = found.with_more([Query(part, Way.PART, PART_WEIGHT) for part in parts_of(rest)])
    if Switch.GLOSSARY in switches and entries:
        found = found.with_more(other_words(alone, entries))
        found = replace(found, entries=tuple(map(tuple, entries)))
    return found


def _without_words(question: str, recognised: Sequence[Recognised]) -> str:
    """What is asked beside what narrows the search."""
    for one in recognised:
        question = question.replace(one.words, " ", 1)
    return tidy(question)
