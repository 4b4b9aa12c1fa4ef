"""Conversation search: titles and messages, English and Chinese, only what a person may see."""

import random

import pytest

from accounts.services import share
from chat import services
from chat.models import Conversation, Message, SearchEntry
from chat.retention import deletion
from chat.search import index as search_index
from chat.search.finding import find_hits
from chat.search.words import condition, words_of
from chat.services import start_turn

pytestmark = pytest.mark.django_db


def talk(user, title: str, *texts: str) -> Conversation:
    made = services.create_conversation(user, title)
    for text in texts:
        Message.objects.create(conversation=made, role="assistant", text=text)
    return made


def titles(user, query: str) -> list[str]:
    return [hit.conversation.title for hit in find_hits(user, query)]


def marked(runs) -> list[str]:
    return [run.text for run in runs if run.is_marked]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("parental leave", True),
        ("leaves", True),  # by its stem
        ("paren", True),  # still being typed
        ("twenty parental", True),
        ("twenty paren", True),
        ("paren twenty", False),  # only the last word may be incomplete
        ("parental train", False),
        ("PARENTAL", True),
        ("出差", True),
        ("出差报销", False),
        ("報銷單", True),  # Traditional finds Simplified
        ("差", True),
        ("报销单 weeks", True),
        ("差出", False),
        ("the", True),  # a word of function alone
        ("the weeks", True),
        ("' | & ! :* \\", False),
        ("", False),
        ("\0\ud800", False),
    ],
)
def test_what_finds_a_message(alice, query, found):
    talk(alice, "Handbook", "The parental **leave** is twenty weeks. 出差后要交报销单。")
    assert titles(alice, query) == (["Handbook"] if found else [])


def test_a_title_is_found_and_marked(alice):
    talk(alice, "軟件 release")
    (hit,) = find_hits(alice, "软件")
    assert (marked(hit.title), hit.message_id, hit.snippet) == (["軟件"], None, [])


def test_the_snippet_shows_the_newest_place(alice):
    long = "padding " * 400
    made = talk(alice, "T", f"{long} the old needle", f"{long}\n## A `needle` in **hay** {long}")
    (hit,) = find_hits(alice, "needle")
    newest = made.messages.order_by("-id").first()
    text = "".join(run.text for run in hit.snippet)
    assert hit.message_id == newest.pk
    assert "A needle in hay" in text
    assert (text[0], text[-1], len(text) < 200) == ("…", "…", True)
    assert marked(hit.snippet) == ["needle"]


def test_markup_in_a_message_stays_text(client, alice):
    talk(alice, "T", "<img src=x onerror=alert(1)> needle <b>bold</b>")
    client.force_login(alice)
    shown = client.get("/conversations/", {"q": "needle"}).content.decode()
    assert "<b>needle</b>" in shown
    assert "<img" not in shown
    assert "&lt;b" in shown


def test_only_what_the_person_may_see(alice, bob, charlie):
    made = talk(alice, "Merger", "the hidden needle")
    assert titles(alice, "needle") == ["Merger"]
    assert titles(bob, "needle") == titles(bob, "merger") == []
    share(made, bob, "reader", by=alice)
    assert titles(bob, "needle") == ["Merger"]
    assert titles(charlie, "needle") == []
    deletion.delete_conversation(alice, made.pk)
    assert titles(alice, "needle") == titles(bob, "needle") == []


def test_the_archive_is_searched_too(alice):
    made = talk(alice, "Old", "needle")
    services.archive_conversation(alice, made.pk, is_archived=True)
    assert titles(alice, "needle") == ["Old"]


def test_a_renamed_conversation_is_found_by_its_new_name_only(alice):
    made = talk(alice, "Before")
    assert titles(alice, "before") == ["Before"]
    services.rename_conversation(alice, made.pk, "After")
    assert titles(alice, "after") == ["After"]
    assert titles(alice, "before") == []


def test_an_answer_is_found_when_it_has_ended(alice):
    turn = start_turn(alice, None, "Where is the needle?")
    Message.objects.filter(pk=turn.answer_id).update(text="In the haystack")
    assert titles(alice, "haystack") == []
    assert titles(alice, "needle") == ["Where is the needle?"]
    Message.objects.filter(pk=turn.answer_id).update(status="complete")
    Conversation.objects.get(pk=turn.conversation_id).save()  # as the end of a turn does
    assert titles(alice, "haystack") == ["Where is the needle?"]


def test_the_clock_indexes_everybody_and_purging_forgets(alice, bob):
    gone, _kept = talk(alice, "One", "needle"), talk(bob, "Two", "needle", "thread")
    for n in range(search_index.BATCH + 5):
        talk(alice, f"More {n}")
    search_index.keep()
    search_index.keep()
    assert not Conversation.objects.filter(search_index.STALE).exists()
    assert SearchEntry.objects.filter(message=None).count() == search_index.BATCH + 7
    assert SearchEntry.objects.exclude(message=None).count() == 3
    deletion.remove([gone.pk])
    assert SearchEntry.objects.exclude(message=None).count() == 2


def test_a_long_message_whose_every_pair_differs_stops_no_index(alice):
    chosen = random.Random(1)
    talk(alice, "Odd", "".join(chr(chosen.randrange(0x20000, 0x2A6D0)) for _ in range(200_000)))
    talk(alice, "Plain", "needle")
    assert titles(alice, "needle") == ["Plain"]
    assert SearchEntry.objects.exclude(message=None).count() == 2


def test_searching_is_few_queries(alice, django_assert_max_num_queries):
    for n in range(30):
        talk(alice, f"Talk {n}", "needle")
    search_index.keep()
    with django_assert_max_num_queries(13):  # ten of them are the second lock and its savepoint
        assert len(find_hits(alice, "needle")) == 30


def test_over_the_api(alice, bob, api_for):
    for n in range(3):
        talk(alice, f"Talk {n}", f"A needle, number {n}")
    api = api_for(alice, "chat")
    first = api.get("/conversations/search?q=needle&limit=2").json()
    rest = api.get(f"/conversations/search?q=needle&limit=2&cursor={first['next']}").json()
    assert [hit["title"] for hit in first["items"] + rest["items"]] == [
        "Talk 2",
        "Talk 1",
        "Talk 0",
    ]
    assert rest["next"] is None
    hit = first["items"][0]
    start, end = hit["snippet_marks"][0]
    assert hit["snippet"][start:end] == "needle"
    assert api.get("/conversations/search?q=").status_code == 422
    assert api_for(bob, "chat").get("/conversations/search?q=needle").json()["items"] == []


def test_words():
    assert words_of("Running, running 出差") == ["run", "running", "出", "出差", "差"]
    assert condition("it's x") == "('x':* | 'x')"
    assert condition("") == condition(" '&| ") == ""
