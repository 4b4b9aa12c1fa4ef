"""Caches in the JSON API, for administrators."""

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field, model_validator

from accounts.callers import ACCOUNT, caller
from agents.usage import caches
from caching.figures import MOST_DAYS
from security.schemas import WriteSchema

router = Router(tags=["Usage"])
Days = Annotated[int, Query(1, ge=1, le=MOST_DAYS, description="Days of UTC.")]
ID = "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d"
CACHE: dict[str, Any] = {
    "name": "answers.day", "near": 0, "hit": 812, "stale": 0, "shared": 31, "miss": 240,
    "evicted": 0, "entries": 198, "bytes": 1_204_224, "hit_rate": 0.778,
}  # fmt: skip


class CacheOut(Schema):
    name: str
    near: int = Field(description="Found in the process itself.")
    hit: int = Field(description="Found in Redis.")
    stale: int = Field(description="Used while it was made anew.")
    shared: int = Field(description="Made by another who asked at the same time.")
    miss: int
    evicted: int = Field(description="Gone because the cache was full.")
    entries: int
    bytes: int
    hit_rate: float | None = Field(description="0 to 1; null when nobody asked.")

    model_config = ConfigDict(json_schema_extra={"examples": [CACHE]})


class FlushIn(WriteSchema):
    """One of them."""

    cache: str = Field("", max_length=200, description="All that the cache of this name holds.")
    agent: UUID | None = Field(None, description="The answers of an agent, in every cache.")
    person: UUID | None = Field(None, description="What is kept for one person alone.")

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"agent": ID}, {"cache": "vectors"}]}
    )

    @model_validator(mode="after")
    def _is_one(self) -> "FlushIn":
        if sum(map(bool, (self.cache, self.agent, self.person))) != 1:
            raise ValueError("Name one of cache, agent and person.")
        return self


class FlushOut(Schema):
    flushed: bool = Field(description="False: Redis is away, and could not be told.")

    model_config = ConfigDict(json_schema_extra={"examples": [{"flushed": True}]})


@router.get(
    "/caches", response=list[CacheOut], auth=ACCOUNT, summary="What caches spare",
    operation_id="list_caches",
)  # fmt: skip
def list_caches(request: HttpRequest, days: Days = 1) -> Any:
    """For administrators: today and the days before, over all processes. Empty while Redis is
    away."""
    return [held.figures for held in caches.list_caches(caller(request), days)]


@router.post(
    "/caches/flush", response=FlushOut, auth=ACCOUNT, summary="Empty a cache",
    operation_id="flush_cache",
)  # fmt: skip
def flush_cache(request: HttpRequest, body: FlushIn) -> Any:
    """For administrators who may change agents: all of a cache, or what it holds of an agent or a
    person. Whatever is being made meanwhile is not kept either."""
    user = caller(request)
    if body.person is not None:
        is_told = caches.flush_person(user, body.person)
    elif body.agent is not None:
        is_told = caches.flush_agent(user, body.agent)
    else:
        is_told = caches.flush_cache(user, body.cache)
    return FlushOut(flushed=is_told)
