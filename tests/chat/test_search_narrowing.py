"""Words of the palette's field that narrow conversations: days and an agent."""

from datetime import UTC, date, datetime

import pytest
from django.utils import translation

from accounts.models import Grant, User
from accounts.services import share
from agents.models import Agent
from chat import services
from chat.models import Conversation, Message
from chat.search.narrowing import narrow
from knowledge.models import Collection
from tests.support.cast import Api

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 13, 10, tzinfo=UTC)  # a Wednesday
MONDAY, SUNDAY = date(2026, 5, 4), date(2026, 5, 10)  # of the week before


@pytest.fixture
def agents(alice: User, bob: User) -> dict[str, Agent]:
    return {
        "law": Agent.objects.create(owner=alice, name="Law", slug="law"),
        "order": Agent.objects.create(owner=alice, name="Law and order", slug="order"),
        "zh": Agent.objects.create(owner=alice, name="法务助手", slug="zh"),
        "secret": Agent.objects.create(owner=bob, name="Secret", slug="secret"),
    }


@pytest.mark.parametrize(
    ("query", "words", "since", "until"),
    [
        ("travel last week", "travel", MONDAY, SUNDAY),
        ("last week", "", MONDAY, SUNDAY),
        ("上周的出差", "出差", MONDAY, SUNDAY),
        ("上週 出差", "出差", MONDAY, SUNDAY),
        ("travel since May 3", "travel", date(2026, 5, 3), None),
        ("travel before 2026-05-03", "travel", None, date(2026, 5, 2)),
        ("yesterday travel", "travel", date(2026, 5, 12), date(2026, 5, 12)),
        ("出差 2026-05-03", "出差", date(2026, 5, 3), date(2026, 5, 3)),
        ("最近三天 出差", "出差", date(2026, 5, 10), date(2026, 5, 13)),
        ("the last straw", "the last straw", None, None),
        ("todays travel", "todays travel", None, None),
        ("", "", None, None),
    ],
)
def test_days(alice, query, words, since, until) -> None:
    found = narrow(alice, query, NOW)
    assert (found.words, found.wanted.since, found.wanted.until) == (words, since, until)
    assert [(one.kind, one.since, one.until) for one in found.chips] == (
        [("dates", since, until)] if since or until else []
    )


@pytest.mark.parametrize(
    ("query", "words", "slug", "told"),
    [
        ("agent:Law travel", "travel", "law", "agent:Law"),
        ("travel agent:law", "travel", "law", "agent:law"),
        ("AGENT: law and order travel", "travel", "order", "AGENT: law and order"),
        ('agent:"Law and order" travel', "travel", "order", 'agent:"Law and order"'),
        ("agent:order travel", "travel", "order", "agent:order"),  # by its slug
        ("智能体：法务 出差", "出差", "zh", "智能体：法务"),  # the beginning of its name
        ("代理:法務助手 出差", "出差", "zh", "代理:法務助手"),
        ("agent:lawyer travel", "agent:lawyer travel", "", ""),
        ("agent: ", "agent: ", "", ""),
        ("agent:secret travel", "agent:secret travel", "", ""),  # not hers to know
        ("an agent travels", "an agent travels", "", ""),
    ],
)
def test_agents(alice, agents, query, words, slug, told) -> None:
    found = narrow(alice, query, NOW)
    assert (found.words, found.wanted.agent) == (words, slug)
    assert [one.words for one in found.chips] == ([told] if told else [])


def test_the_built_in_agent_is_named_as_the_page_names_it(alice, builtin) -> None:
    with translation.override("zh-hant"):
        found = narrow(alice, "代理：文件 出差", NOW)
    assert (found.words, found.wanted.agent) == ("出差", builtin.slug)
    assert found.chips[0].name == "文件"
    assert narrow(alice, "agent:documents travel", NOW).wanted.agent == builtin.slug


def test_both_and_each_of_them_left_to_be_words(alice, agents) -> None:
    query = "agent:Law last week travel"
    found = narrow(alice, query, NOW)
    assert (found.words, [one.kind for one in found.chips]) == ("travel", ["agent", "dates"])
    assert narrow(alice, query, NOW, ["dates"]).words == "last week travel"
    assert narrow(alice, query, NOW, ["agent"]).words == "agent:Law travel"
    plain = narrow(alice, query, NOW, ["agent", "dates"])
    assert (plain.words, plain.wanted.is_any, plain.chips) == (query, True, ())


def talk(user: User, title: str, agent: Agent | None = None, *, year: int = 2026) -> Conversation:
    made = services.create_conversation(user, title)
    Message.objects.create(conversation=made, role="user", text="Travel by train.")
    at = datetime(year, 1, 2, tzinfo=UTC)
    Conversation.objects.filter(pk=made.pk).update(agent=agent, created_at=at, updated_at=at)
    return made


def found(api: Api, query: str, **more: str) -> list[str]:
    items = api.get("/jump", query_params={"q": query, **more}).json()["items"]
    return [item["name"] for item in items if item["kind"] == "conversation"]


def test_the_palette_finds_what_is_left_among_what_they_name(alice, bob, agents, api_for) -> None:
    api: Api = api_for(alice, "read")
    talk(alice, "Train of law", agents["law"])
    talk(alice, "Train of none")
    talk(alice, "Train long ago", agents["law"], year=2020)
    hidden = talk(bob, "Train of Bob's", agents["secret"])
    Collection.objects.create(owner=alice, name="Travel")
    assert found(api, "train agent:law") == ["Train of law", "Train long ago"]
    assert found(api, "agent:law since 2026") == ["Train of law"]  # no words are left
    assert found(api, "train before 2021") == found(api, "2020年 train") == ["Train long ago"]
    assert found(api, "train agent:secret") == []
    share(hidden, alice, Grant.Role.READER, by=bob)
    assert found(api, "train agent:secret") == []  # she may read it, and not know of its agent

    told = api.get("/jump", query_params={"q": "travel since 2026"}).json()
    assert told["narrowed"] == [
        {"kind": "dates", "words": "since 2026", "name": "", "since": "2026-01-01", "until": None}
    ]
    told = api.get("/jump", query_params={"q": "travel agent:law"}).json()
    assert {item["kind"] for item in told["items"]} == {"conversation"}
    assert told["narrowed"][0]["name"] == "Law"
    literal = api.get("/jump", query_params={"q": "travel agent:law", "without": "agent"}).json()
    assert literal == {"items": [], "narrowed": []}
    assert api.get("/jump", query_params={"q": "travel", "without": "all"}).status_code == 422


@pytest.mark.parametrize("query", ["on 9999-12-31", "after 9999-12-31", "9999-12-31之前"])
def test_the_last_day_that_there_is_narrows_nothing(api_for, alice, query: str) -> None:
    """Nothing comes after it, and who types it is not told of an error."""
    found = api_for(alice).get(f"/jump?q={query}")
    assert found.status_code == 200
    assert found.json()["narrowed"] == []
