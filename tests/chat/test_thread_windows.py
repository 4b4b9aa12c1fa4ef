"""A long conversation comes in stretches, with as many queries as a short one."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from chat.models import Conversation, Message
from chat.thread import Window, find_thread, list_thread

pytestmark = pytest.mark.django_db


def talk_of(owner: User, length: int) -> tuple[Conversation, list[Message]]:
    talk = Conversation.objects.create(owner=owner)
    rows: list[Message] = []
    for n in range(length):
        role = Message.Role.ASSISTANT if n % 2 else Message.Role.USER
        parent = rows[-1] if rows else None
        rows.append(Message(conversation=talk, parent=parent, role=role, text=f"Message {n}"))
    Message.objects.bulk_create(rows)
    talk.leaf_id = rows[-1].pk
    talk.save()
    return talk, rows


def shown(talk: Conversation, user: User, window: Window) -> list[int]:
    found = find_thread(talk, user, window=window).messages
    return [int(item.message.text.split()[1]) for item in found]


@pytest.mark.parametrize(
    ("side", "at", "numbers"),
    [
        (None, None, range(94, 100)),
        ("around", 50, range(48, 54)),
        ("around", 1, range(6)),
        ("around", 99, range(94, 100)),
        ("before", 50, range(44, 50)),
        ("before", 3, range(3)),
        ("before", 0, range(0)),
        ("after", 50, range(51, 57)),
        ("after", 97, range(98, 100)),
    ],
)
def test_a_window_is_a_stretch_of_the_path(
    alice: User, side: str | None, at: int | None, numbers: range
) -> None:
    talk, rows = talk_of(alice, 100)
    anchor = {} if side is None or at is None else {side: rows[at].pk}
    window = Window(size=6, **anchor)
    assert shown(talk, alice, window) == list(numbers)
    found = find_thread(talk, alice, window=window)
    assert found.leaf_id == rows[-1].pk
    if numbers:
        assert found.messages[0].is_preceded == (numbers[0] > 0)
        assert found.messages[-1].is_followed == (numbers[-1] < 99)


def test_what_is_not_on_the_path_opens_nothing_but_its_end(alice: User) -> None:
    talk, _rows = talk_of(alice, 10)
    gone = uuid4()
    assert shown(talk, alice, Window(before=gone)) == []
    assert shown(talk, alice, Window(after=gone)) == []
    assert shown(talk, alice, Window(around=gone, size=4)) == [6, 7, 8, 9]


def test_a_message_of_another_branch_is_shown_on_its_own_path(alice: User) -> None:
    talk, rows = talk_of(alice, 10)
    other = Message.objects.create(
        conversation=talk, parent=rows[3], role=Message.Role.USER, text="Message 100"
    )
    assert shown(talk, alice, Window(around=other.pk)) == [0, 1, 2, 3, 100]
    assert shown(talk, alice, Window(around=rows[2].pk))[-1] == 9
    assert [item.message.pk for item in list_thread(talk, alice)][-1] == rows[-1].pk


def test_two_thousand_messages_take_as_many_queries_as_eight(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    counts = []
    for length in (8, 2000):
        talk, rows = talk_of(alice, length)
        for path in (f"/c/{talk.pk}", f"/c/{talk.pk}/thread?before={rows[-1].pk}&limit=9999"):
            with CaptureQueriesContext(connection) as queries:
                page = client.get(path).content.decode()
            counts.append(len(queries))
            if length > 8:
                assert "Message 5<" not in page
                assert "data-earlier" in page
    assert counts[2] <= counts[0]  # the first request of all fills caches
    assert counts[3] <= counts[1]


def test_the_rest_is_asked_for_by_the_page(alice: User, charlie: User) -> None:
    talk, rows = talk_of(alice, 100)
    client, stranger = Client(), Client()
    client.force_login(alice)
    stranger.force_login(charlie)
    path = f"/c/{talk.pk}/thread?before={rows[40].pk}&limit=10"
    page = client.get(path).content.decode()
    assert page.count("data-message=") == 10
    assert f'data-message="{rows[39].pk}"' in page
    assert "data-earlier" in page
    assert "data-later" in page
    assert stranger.get(path).status_code == 404
    assert client.get(f"/c/{talk.pk}/thread?before=x&limit=x").content.count(b"data-message=") == 60


def test_another_version_far_up_is_shown_where_it_is(alice: User) -> None:
    talk, rows = talk_of(alice, 200)
    version = Message.objects.create(
        conversation=talk, parent=rows[4], role=Message.Role.ASSISTANT, text="Message 300"
    )
    client = Client()
    client.force_login(alice)
    page = client.post(f"/c/{talk.pk}/thread", {"message": str(version.pk)}).content.decode()
    assert "Message 300" in page
    page = client.post(f"/c/{talk.pk}/thread", {"message": str(rows[5].pk)}).content.decode()
    assert "Message 5" in page
    talk.refresh_from_db()
    assert talk.leaf_id == rows[-1].pk
