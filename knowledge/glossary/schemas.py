from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Schema
from pydantic import ConfigDict, Field, StringConstraints

from knowledge.glossary.services import MOST_TERMS
from knowledge.retrieval.understanding.glossary import LONGEST_TERM
from security.schemas import PageQuery, WriteSchema

ID = "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d"
AT = "2026-11-21T09:30:00Z"
TERMS = ["annual leave", "vacation", "年假"]
Term = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TERM)
]


def example(**values: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [values]})


class EntryIn(WriteSchema):
    terms: Annotated[list[Term], Field(min_length=2, max_length=MOST_TERMS)] = Field(
        description="Words for one thing, in any language."
    )

    model_config = example(terms=TERMS)


class EntryOut(Schema):
    id: UUID
    collection_id: UUID
    terms: list[str]
    created_at: datetime
    updated_at: datetime

    model_config = example(id=ID, collection_id=ID, terms=TERMS, created_at=AT, updated_at=AT)


class EntryQuery(PageQuery):
    q: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = Field(
        "", description="Only entries with this in one of their words."
    )


class RefusedLine(Schema):
    line: int
    reason: str


class ImportedOut(Schema):
    added: int
    changed: int = Field(description="They took the place of entries with a word in common.")
    same: int = Field(description="They were there already.")
    refused: list[RefusedLine] = Field(description="Lines that are no entry, and why.")

    model_config = example(
        added=12, changed=1, same=0,
        refused=[{"line": 4, "reason": "An entry needs at least two different words."}],
    )  # fmt: skip

    @staticmethod
    def resolve_refused(imported: Any) -> list[dict[str, Any]]:
        return [{"line": line, "reason": reason} for line, reason in imported.refused]
