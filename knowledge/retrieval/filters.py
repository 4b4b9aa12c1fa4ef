"""Filters as SQL: which documents pass, as a condition inside both legs of a search.

They stand beside permission and never in its place. What terms weigh comes from whole collections,
so the same passage has the same raw scores with and without filters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.backends.utils import CursorWrapper

from knowledge.file_types import ATTACHABLE
from knowledge.retrieval.types import NO_FILTERS, Filters

# Up to this many passages are named one by one, and then both legs are exact.
FEW = 4_000

WITHIN = (
    "(not d.is_apart and d.collection_id = any (array(select id from allowed))"
    " or d.is_apart and d.id = any (array(select id from allowed)))"
)
RENEWED = "coalesce(d.version_at, d.created_at)"

SIZE = """
with allowed as materialized ({allowed})
select coalesce(sum(chunk_count), 0)::bigint, count(*) from (
    select d.chunk_count from knowledge_document d where {within} and {condition} limit {most}
) as passing
"""
NARROWED = """,
     narrowed as materialized (
        select c.id from knowledge_chunk c join knowledge_document d on d.id = c.document_id
        where {within} and {condition})
"""
ONE_OF = " and {column} in (select id from narrowed)"
# A scalar, since Postgres would make a join of `exists` and walk no graph any more.
PASSES = """
 and (select {condition} from knowledge_chunk c join knowledge_document d on d.id = c.document_id
      where c.id = {column})
"""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A search's filters as its statement has them; without a `condition` nothing is narrowed."""

    condition: str = ""
    values: tuple[Any, ...] = ()
    size: int | None = None  # passages that pass; None: all of them
    is_counted: bool = True  # or there are more than `size`: counting ended early

    @property
    def is_small(self) -> bool:
        return self.size is not None and self.size <= FEW and self.is_counted

    @property
    def names(self) -> tuple[str, tuple[Any, ...]]:
        """The further WITH query, and its values."""
        if not self.is_small:
            return "", ()
        return NARROWED.format(within=WITHIN, condition=self.condition), self.values

    def inside(self, column: str) -> tuple[str, tuple[Any, ...]]:
        """What a leg demands of its `column` of passages' ids, and the values of that."""
        if not self.condition:
            return "", ()
        if self.is_small:
            return ONE_OF.format(column=column), ()
        return PASSES.format(condition=self.condition, column=column), self.values


EVERYTHING = Narrowing()


def narrow(
    cursor: CursorWrapper, allowed: tuple[str, tuple[Any, ...]], filters: Filters
) -> Narrowing:
    """The filters with the number of passages they leave; asks only where there are some."""
    if filters == NO_FILTERS:
        return EVERYTHING
    condition, values = condition_of(filters)
    sql, parameters = allowed
    statement = SIZE.format(allowed=sql, within=WITHIN, condition=condition, most=FEW + 1)
    cursor.execute(statement, [*parameters, *values])
    size, documents = cursor.fetchone()
    return Narrowing(condition, values, size, documents <= FEW)


def condition_of(filters: Filters) -> tuple[str, tuple[Any, ...]]:
    """A condition on a document `d`, and its values."""
    parts: list[tuple[str, Any]] = []
    if filters.documents is not None:
        parts.append(("d.id = any (%s::uuid[])", list(filters.documents)))
    if filters.sources is not None:
        parts.append(("d.source_id = any (%s::uuid[])", list(filters.sources)))
    if filters.file_types is not None:
        parts.append(("d.media_type = any (%s::text[])", media_types_of(filters.file_types)))
    if filters.languages is not None:
        # A language without its script or country stands for all of them: zh for zh-hant too.
        known = "array[d.language, split_part(d.language, '-', 1)]::text[]"
        codes = [code.lower() for code in filters.languages]
        parts.append((f"{known} && %s::text[]", codes))
    if filters.from_ is not None:
        parts.append((f"{RENEWED} >= %s", filters.from_))
    if filters.until is not None:
        parts.append((f"{RENEWED} < %s", filters.until))
    return " and ".join(sql for sql, _ in parts), tuple(value for _, value in parts)


def media_types_of(names: Sequence[str]) -> list[str]:
    """Of the short names of file types; `code` stands for programs in every language."""
    wanted = {name.lower() for name in names}
    return sorted(
        kind.media_type
        for kind in ATTACHABLE
        if kind.kind in wanted or kind.kind.partition(":")[0] in wanted
    )
