"""From a turn to its search: what agents and collections say of understanding, and what a person
does not want."""

from typing import Any

import pytest

from accounts.models import User
from agents.models import Agent
from agents.types import QueryRewritten
from chat.live.requests import InvalidFrame, StartTurn
from chat.models import Conversation, Turn
from chat.turns.progress import rebuild, record
from chat.turns.starting import start_turn
from chat.turns.types import Answer
from chat.turns.work import claim_turns
from events.types import EventRow
from knowledge.glossary.services import put_entry
from knowledge.models import Collection
from knowledge.retrieval.understanding import understand
from knowledge.switches import USUAL, Switch
from tests.knowledge.test_understanding import NOW

pytestmark = pytest.mark.django_db


class Told:
    """A stream that keeps what it is told."""

    def __init__(self) -> None:
        self.rows: list[EventRow] = []

    def emit(self, kind: str, payload: dict[str, Any]) -> None:
        self.rows.append(EventRow(len(self.rows) + 1, kind, payload, False))


def claimed() -> Any:
    (work,) = claim_turns("test", 10, 30.0)
    return work.task


@pytest.fixture
def board(alice: User) -> Collection:
    return Collection.objects.create(
        owner=alice, name="Board", understanding={"filters": True, "parts": False}
    )


def test_a_turn_knows_what_its_agent_and_its_collections_say(
    alice: User, board: Collection
) -> None:
    agent = Agent.objects.create(
        owner=alice, name="A", slug="a", understanding={"parts": True, "step_back": True}
    )
    start_turn(alice, None, "PDFs?", agent=str(agent.pk), collections=[board.pk])
    task = claimed()
    assert task.switches == USUAL | {Switch.FILTERS, Switch.STEP_BACK}
    assert not task.has_glossary
    start_turn(alice, None, "PDFs?", agent=str(agent.pk))
    assert claimed().switches == USUAL | {Switch.PARTS, Switch.STEP_BACK}


def test_a_glossary_anywhere_is_known_without_a_query(
    alice: User, board: Collection, django_assert_num_queries: Any
) -> None:
    put_entry(board, ["annual leave", "年假"])
    start_turn(alice, None, "Annual leave?", collections=[board.pk])
    with django_assert_num_queries(1):
        assert claimed().has_glossary


def test_a_question_is_asked_again_without_a_narrowing(alice: User) -> None:
    turn = start_turn(alice, None, "PDFs from today", idempotency_key="1")
    assert claimed().without == ()
    Turn.objects.filter(pk=turn.pk).update(status="completed")
    place, asked = turn.conversation_id, turn.question_id
    again = start_turn(alice, place, "", question=asked, without=["dates"], idempotency_key="2")
    assert claimed().without == ("dates",)
    same = start_turn(alice, place, "", question=asked, without=["dates"], idempotency_key="2")
    assert same.pk == again.pk
    assert Conversation.objects.get().turns.count() == 2


def test_the_step_is_told_and_comes_back() -> None:
    found = understand("PDFs from last month on travel", [], [Switch.FILTERS], NOW)
    step = QueryRewritten(found.queries, found.recognised, 12.5, "m")
    answer, stream = Answer(), Told()
    record(step, answer, stream)  # type: ignore[arg-type]
    (told,) = stream.rows
    assert told.kind == "query_rewritten"
    assert told.payload["queries"][0]["way"] == "original"
    assert told.payload["filters"][1] == {
        "kind": "dates",
        "words": "from last month",
        "values": [],
        "from": "2026-10-01T00:00:00+08:00",
        "until": "2026-11-01T00:00:00+08:00",
        "counts": True,
    }
    assert rebuild(stream.rows).steps == answer.steps


def test_only_known_narrowings_are_taken(alice: User, client: Any) -> None:
    client.force_login(alice)
    turn = start_turn(alice, None, "PDFs from today")
    path = f"/api/v1/conversations/{turn.conversation_id}/turns"
    body = {"question": str(turn.question_id), "without": ["owner"]}
    refused = client.post(path, body, content_type="application/json")
    assert refused.status_code == 422
    body["without"] = ["dates", "file_types"]
    assert client.post(path, body, content_type="application/json").status_code == 202
    latest = Turn.objects.order_by("-pk").first()
    assert latest is not None
    assert latest.without == ["dates", "file_types"]


@pytest.mark.parametrize("value", ["dates", ["owner"], [{}], [["dates"]], {"dates": True}, [1]])
def test_a_frame_names_known_narrowings_alone(value: Any) -> None:
    with pytest.raises(InvalidFrame):
        StartTurn.parse({"text": "x", "without": value})
    assert StartTurn.parse({"text": "x", "without": ["dates", "dates"]}).without == ("dates",)
    assert StartTurn.parse({"text": "x"}).without == ()
