"""In which order conversations are found: the title and many messages before one faint hit."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import User
from accounts.services import share
from agents.models import Agent
from chat import services
from chat.models import Conversation, Message
from chat.search.filters import Wanted
from chat.search.finding import find_hits, search_conversations
from tests.chat.test_search_filters import attach
from tests.support.cast import Api

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def talk(user: User, title: str, days_ago: int, *texts: str) -> Conversation:
    made = services.create_conversation(user, title)
    for text in texts:
        Message.objects.create(conversation=made, role="assistant", text=text)
    at = NOON - timedelta(days=days_ago)
    Conversation.objects.filter(pk=made.pk).update(updated_at=at)
    return made


@pytest.fixture
def talks(alice: User) -> None:
    """By what each is called, newest last."""
    hay = "Nothing but hay."
    talk(alice, "needle, and many", 90, *["The needle."] * 8)
    talk(alice, "needle, and one", 80, "The needle.", hay)
    talk(alice, "needle alone", 70, hay)
    talk(alice, "many", 60, *["The needle."] * 8)
    talk(alice, "several", 50, *["The needle."] * 3)
    talk(alice, "two", 40, "The needle?", "The needle!", hay)
    talk(alice, "one", 30, "The needle.", *[hay] * 20)
    attach(talk(alice, "file", 20, hay), "needle.txt", "nothing")
    talk(alice, "none", 1, hay)


def titles(user: User, query: str, wanted: Wanted | None = None) -> list[str]:
    return [hit.conversation.title for hit in find_hits(user, query, wanted=wanted or Wanted())]


BEST_FIRST = [
    "needle, and many", "needle, and one",
    "many", "needle alone",  # as much as one another: the newer one first
    "several", "one", "two", "file",
]  # fmt: skip


def test_titles_and_many_messages_come_before_one_faint_hit(alice, talks) -> None:
    assert titles(alice, "needle") == BEST_FIRST


def test_of_equal_ones_the_recent_comes_first(alice) -> None:
    for name, ago in (("old", 3), ("new", 1), ("middle", 2)):
        talk(alice, name, ago, "The needle.")
    assert titles(alice, "needle") == ["new", "middle", "old"]


def test_only_the_places_that_are_asked_for_count(alice, talks) -> None:
    assert titles(alice, "needle", Wanted(place="title")) == [
        "needle alone", "needle, and one", "needle, and many",
    ]  # fmt: skip
    of_messages = ["many", "needle, and many", "several", "one", "two", "needle, and one"]
    assert titles(alice, "needle", Wanted(place="message")) == of_messages


def test_chinese_is_put_in_order_alike(alice) -> None:
    talk(alice, "一次", 1, "出差要报销。")
    talk(alice, "三次", 2, *["出差要报销。"] * 3)
    talk(alice, "报销流程", 3, "没有。")
    assert titles(alice, "報銷") == ["报销流程", "三次", "一次"]


def test_what_others_said_in_hidden_conversations_lifts_nothing(alice, bob) -> None:
    talk(bob, "needle of Bob's", 1, *["The needle."] * 9)
    shared = talk(bob, "shared", 2, "The needle.")
    talk(alice, "own", 3, *["The needle."] * 3)
    share(shared, alice, "reader", by=bob)
    assert titles(alice, "needle") == ["own", "shared"]


def test_pages_of_the_api_go_on_in_this_order(alice, talks, api_for) -> None:
    api: Api = api_for(alice, "read")
    found, cursor = [], ""
    while True:
        page = api.get(f"/conversations/search?q=needle&limit=3{cursor}").json()
        found += [item["title"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert found == BEST_FIRST


def test_the_api_narrows_by_days_and_agent_in_the_query(alice, bob, api_for, talks) -> None:
    api: Api = api_for(alice, "read")
    law = Agent.objects.create(owner=alice, name="Law", slug="law")
    Agent.objects.create(owner=bob, name="Bob's", slug="bobs")
    Conversation.objects.filter(title__in=["many", "two"]).update(agent=law)
    asked = "/conversations/search?q=needle&found_in=title"
    first = (NOON - timedelta(days=85)).date()
    assert [one["title"] for one in api.get(f"{asked}&since={first}").json()["items"]] == [
        "needle alone", "needle, and one",
    ]  # fmt: skip
    of_law = api.get("/conversations/search?q=needle&agent=law").json()["items"]
    assert [one["title"] for one in of_law] == ["many", "two"]
    assert api.get("/conversations/search?q=needle&agent=bobs").json()["items"] == []


def test_ranks_are_digits_so_that_a_cursor_can_hold_them(alice, talks) -> None:
    ranks = {one.title: one.rank for one in search_conversations(alice, "needle")}
    assert ranks == {
        "needle, and many": "6", "needle, and one": "4", "needle alone": "3", "many": "3",
        "several": "2", "two": "1", "one": "1", "file": "0",
    }  # fmt: skip
