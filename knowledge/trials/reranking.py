"""What a setting found, in the order that an answer with reranking switched on would see it."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from accounts.models import User
from accounts.payers import payer_of
from gateway.chat import stream_chat
from gateway.embedding.background import run
from gateway.routing.routes import find_routes
from knowledge.retrieval.reranking import Asked, Reranked, put_in_order
from knowledge.tuned import RERANK_DEPTH, rerank_depth_of
from knowledge.types import SearchResult


def depth_for(collections: Sequence[UUID] | None, query: str) -> int:
    """As in an answer; but where it was measured not to pay, a trial shows it all the same."""
    return rerank_depth_of(collections, query) or RERANK_DEPTH


def rerank(
    user: User, found: SearchResult, depth: int, limit: int
) -> tuple[SearchResult, Reranked]:
    """The best `limit` of what was found, and by whom they were ordered; on the account of `user`.
    The chat model that may be asked is the default one."""
    asked = Asked(
        found.query, payer_of(user, "rerank"), found.demands, "", stream_chat, find_routes
    )
    better = run(put_in_order(asked, found.passages, depth))
    return replace(found, passages=better.passages[:limit]), better
