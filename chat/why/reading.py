"""Puts together why an answer is as it is, for one reader: nothing that they may not see now."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404

from accounts.models import User
from agents.models import Agent
from chat.models import Citation, Message, Turn
from chat.spoken import notice_of, steps_in_words, usage_of
from chat.visibility import visible_steps
from chat.why.calls import add_up, list_attempts
from chat.why.kinds import CALL, KEPT, PROMPT, SEARCH
from chat.why.passages import show_candidates
from chat.why.stages import find_stages, placed_blocks
from chat.why.types import CalledSearch, Narrowed, Reranking, Searched, Why
from security.reading import reading_as

NOTHING_WRITTEN: dict[str, Any] = {"filters": (), "model": "", "trouble": ""}
Steps = Mapping[str, Mapping[str, Any]]


def find_why(user: User, message_id: UUID) -> Why:
    """Of an answer that has ended, in a conversation that `user` may see; raises Http404."""
    answer = _find_answer(user, message_id)
    turn = _turn_of(answer)
    (shown,) = visible_steps(user, [answer.steps])
    told = steps_in_words(shown)
    kept = {step["kind"]: step["data"] for step in answer.steps if step["kind"] in KEPT}
    steps = {step["kind"]: step["data"] for step in told} | kept | _called(told)
    cited = list(Citation.objects.filter(message=answer).values_list("n", flat=True))
    search, prompt = steps.get(SEARCH), steps.get(PROMPT, {})
    candidates = show_candidates(user, search, cited) if search else ()
    attempts = list_attempts(user, turn)
    total_ms = _total_ms(turn)
    asked = NOTHING_WRITTEN | steps.get("query_rewritten", {})
    ordered = steps.get("passages_reranked")
    return Why(
        message_id=answer.pk,
        conversation_id=answer.conversation_id,
        conversation_title=answer.conversation.title,
        question=answer.parent.text if answer.parent else "",
        asked_at=answer.created_at,
        status=answer.status,
        agent=_agent_of(user, turn),
        model=answer.model_name,
        notice=notice_of(answer),
        usage=usage_of(answer),
        queries=queries_of(steps),
        filters=tuple(Narrowed(f["kind"], f["words"], f["counts"]) for f in asked["filters"]),
        written_by=asked["model"],
        trouble=asked["trouble"],
        reranking=Reranking(**ordered) if ordered else None,
        candidates=candidates,
        more=search["more"] if search else 0,
        weight=search["weight"] if search else None,
        calls=_calls(user, answer, told, cited),
        blocks=placed_blocks(prompt.get("blocks", ()), _titles(shown)),
        budget=prompt.get("budget", 0),
        stages=find_stages(steps, answer.usage, total_ms),
        total_ms=total_ms,
        attempts=attempts,
        switches=_of_kind(told, "endpoint_switched"),
        costs=add_up(attempts),
        cited=len(set(cited)),
        unsupported=tuple(steps.get("support_checked", {}).get("sentences", ())),
        is_kept=bool(kept),
        is_reused="answer_reused" in steps,
        stage_names=frozenset(rank.stage for one in candidates for rank in one.ranks),
    )


def queries_of(steps: Steps) -> tuple[Searched, ...]:
    """What was searched for, the question itself first; none where nothing was."""
    asked = steps.get("retrieval_completed", {}).get("query", "")
    rewritten = steps.get("query_rewritten", {}).get("queries", ())
    found = tuple(Searched(q["text"], q["way"], q["weight"]) for q in rewritten)
    if not asked or any(query.text == asked for query in found):
        return found
    return (Searched(asked), *found)


def _calls(
    user: User, answer: Message, told: Sequence[Mapping[str, Any]], cited: Iterable[int]
) -> tuple[CalledSearch, ...]:
    """The searches of tools, in their order, with the queries that this reader is told."""
    queries = {
        step["data"]["call_id"]: query_in(step["data"]["arguments"])
        for step in told
        if step["kind"] == "tool_called"
    }
    return tuple(
        CalledSearch(
            queries.get(data["call"], ""), show_candidates(user, data, cited), data["more"]
        )
        for data in (step["data"] for step in answer.steps if step["kind"] == CALL)
    )


def query_in(arguments: str) -> str:
    """As the model wrote it; empty where that is no object with a query."""
    try:
        given = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return ""
    return str(given.get("query") or "") if isinstance(given, dict) else ""


def _called(steps: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """All calls of tools as one; those that ran side by side took longer together. What another
    agent called is part of the call by which it was asked."""
    ended = [step["data"] for step in steps if step["kind"] == "tool_completed"]
    took = [one["took_ms"] for one in ended if not one.get("parent")]
    return {"tool_completed": {"took_ms": sum(took)}} if took else {}


def _find_answer(user: User, message_id: UUID) -> Message:
    answers = Message.objects.visible_to(user).filter(role=Message.Role.ASSISTANT)
    with reading_as(user):
        known = answers.exclude(status=Message.Status.RUNNING)
        related = known.select_related("turn", "parent", "conversation")
        found = related.filter(pk=message_id).first()
    if found is None:
        raise Http404
    return found


def _turn_of(answer: Message) -> Turn | None:
    try:
        return answer.turn
    except ObjectDoesNotExist:  # brought in, or copied from another conversation
        return None


def _agent_of(user: User, turn: Turn | None) -> str:
    if turn is None or turn.agent_id is None:
        return ""
    agent = Agent.objects.visible_to(user).filter(pk=turn.agent_id).first()
    return agent.name if agent else ""


def _total_ms(turn: Turn | None) -> float | None:
    if turn is None or turn.finished_at is None:
        return None
    return (turn.finished_at - turn.created_at).total_seconds() * 1000


def _titles(steps: Iterable[Mapping[str, Any]]) -> dict[int, str]:
    """Of the passages in the prompt that the reader may see, by number."""
    given = (passage for step in steps for passage in step["data"].get("passages", ()))
    return {passage["n"]: passage["title"] for passage in given}


def _of_kind(steps: Sequence[Mapping[str, Any]], kind: str) -> tuple[dict[str, Any], ...]:
    return tuple(dict(step["data"]) for step in steps if step["kind"] == kind)
