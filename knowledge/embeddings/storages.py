"""The three ways of keeping a version's vectors: which column, which index, which search.

`float` and `half` are walked by their HNSW graph; `binary` walks a graph of single bits, which is
small, and puts the nearest of it in order by the vectors themselves.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

Storage = str
FLOAT, HALF, BINARY = "float", "half", "binary"
STORAGES: tuple[Storage, ...] = (FLOAT, HALF, BINARY)

MAX_DIMENSIONS = 4_000  # that pgvector can index, as halves
MAX_FLOAT_DIMENSIONS = 2_000  # … and as floats: longer ones are walked as halves
MAX_BINARY_DIMENSIONS = 64_000
# Of bits: so many times the wanted number are put in order by their vectors (docs/adr/0006).
OVERFETCH = 4
GRAPH = "with (m = 16, ef_construction = 128)"

# Each of them begins with a place for the ids that may be searched.
NEAREST = """
select chunk_id as id, -({typed} <#> %s::{kind}({dimensions})) as score
from {table}
where {condition}
order by {typed} <#> %s::{kind}({dimensions}) limit {limit}
"""
NEAREST_BITS = """
select id, -(vector <#> %s::{kind}({dimensions})) as score from (
    select chunk_id as id, {typed} as vector from {table}
    where {condition}
    order by binary_quantize({column})::bit({dimensions})
             <~> binary_quantize(%s::{kind}({dimensions}))::bit({dimensions})
    limit {overfetched}) as near
order by vector <#> %s::{kind}({dimensions}) limit {limit}
"""
EXACT = """
select id, -distance as score from (
    select chunk_id as id, {typed} <#> %s::{kind}({dimensions}) as distance from {table}
    where {condition} offset 0) as every
order by distance limit {limit}
"""
INDEX = """
create index {concurrently} {name} on {table} using hnsw ({expression}) {graph} where {condition}
"""


class Version(Protocol):
    """What determines how a version's vectors lie in the table."""

    @property
    def pk(self) -> int: ...
    @property
    def dimensions(self) -> int: ...
    @property
    def is_multilingual(self) -> bool: ...
    @property
    def storage(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Leg:
    """A search for the nearest vectors: its SQL, and how often it wants the question's vector."""

    sql: str
    questions: int


def column_of(storage: Storage) -> str:
    return "precise" if storage == FLOAT else "vector"


def is_indexable(version: Version) -> bool:
    limit = MAX_BINARY_DIMENSIONS if version.storage == BINARY else MAX_DIMENSIONS
    return version.dimensions <= limit


def condition_of(version: Version) -> str:
    """The rows of its index; by the literal id the planner proves that the partial one applies."""
    latin_only = "" if version.is_multilingual else " and script <> 'cjk'"
    return f"version_id = {version.pk}{latin_only}"


def index_name(version: Version) -> str:
    return f"embedding_hnsw_{version.pk}"


def index_sql(
    version: Version, *, is_concurrent: bool = True, table: str = "knowledge_embedding"
) -> str:
    names = _names(version)
    if version.storage == BINARY:
        expression = f"(binary_quantize({names['column']})::bit({version.dimensions}))"
        expression += " bit_hamming_ops"
    else:
        expression = f"({names['typed']}) {names['kind']}_ip_ops"
    return INDEX.format(
        concurrently="concurrently" if is_concurrent else "",
        name=index_name(version),
        table=table,
        expression=expression,
        graph=GRAPH,
        condition=condition_of(version),
    )


def dense_leg(
    version: Version, limit: int, *, is_exact: bool, within: str, table: str = "knowledge_embedding"
) -> Leg:
    """The `limit` nearest of the rows `within` a condition; reads every vector if `is_exact`."""
    walk = NEAREST_BITS if version.storage == BINARY else NEAREST
    template = EXACT if is_exact else walk
    sql = template.format(
        **_names(version),
        dimensions=version.dimensions,
        table=table,
        condition=f"{condition_of(version)} and {within}",
        limit=limit,
        overfetched=limit * OVERFETCH,
    )
    return Leg(sql, template.count("%s"))


def search_settings(version: Version, limit: int) -> dict[str, str]:
    """How far the walk looks, as a setting of Postgres."""
    far = limit * OVERFETCH if version.storage == BINARY else limit
    return {"hnsw.ef_search": str(min(1_000, far))}


def to_text(storage: Storage, vector: Iterable[float]) -> str:
    """pgvector's text form, with the digits that its storage can hold."""
    digits = ".9g" if storage == FLOAT else ".5g"
    return "[" + ",".join(format(value, digits) for value in vector) + "]"


def _names(version: Version) -> dict[str, str]:
    column = column_of(version.storage)
    is_float = version.storage == FLOAT and version.dimensions <= MAX_FLOAT_DIMENSIONS
    kind = "vector" if is_float else "halfvec"
    typed = f"{column}::{kind}({version.dimensions})"
    if version.storage == FLOAT and not is_float:
        typed = f"{column}::vector({version.dimensions})::halfvec({version.dimensions})"
    return {"column": column, "kind": kind, "typed": typed}
