"""What every JSON schema of the API shares: strict input, and pages of output."""

from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from ninja import Schema
from pydantic import ConfigDict, Field, field_validator

T = TypeVar("T")


class WriteSchema(Schema):
    """Input from a client: unknown fields are refused, and so is text Postgres cannot store.

    Times become those of UTC: Postgres knows no zone further than 16 hours from it.
    """

    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="after")
    @classmethod
    def _has_no_nul(cls, value: Any) -> Any:
        if isinstance(value, str) and "\0" in value:
            raise ValueError("Text must not contain the NUL character.")
        return value

    @field_validator("*", mode="after")
    @classmethod
    def _is_in_utc(cls, value: Any) -> Any:
        if not isinstance(value, datetime) or value.tzinfo is None:
            return value
        try:
            return value.astimezone(UTC)
        except OverflowError:
            raise ValueError("This is no time between the years 1 and 9999.") from None


class PageQuery(Schema):
    cursor: str | None = Field(
        None, max_length=500, description="`next` of the page before; none for the first page."
    )
    limit: int = Field(50, ge=1, le=200, description="Items at most on this page.")


class PageOf(Schema, Generic[T]):
    items: list[T]
    next: str | None = Field(description="Cursor of the next page; null when this is the last one.")
