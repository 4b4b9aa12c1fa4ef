from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection

from chat.models import Conversation, Message
from chat.retention.partitions import MESSAGES, ensure_ahead
from chat.services import start_turn
from security.ids import new_id
from security.months import first_id, next_month


def where(message_id):
    with connection.cursor() as cursor:
        cursor.execute(
            "select tableoid::regclass::text from chat_message where id = %s", [message_id]
        )
        return cursor.fetchone()[0]


def test_the_months_ahead_are_there_and_made_once(db):
    now = datetime.now(UTC)
    names = MESSAGES.list_partitions()
    assert f"chat_message_{now.year}_{now.month:02}" in names
    assert len([name for name in names if not name.endswith("_default")]) == 4
    assert ensure_ahead() == []


def test_new_messages_go_into_this_months_partition(alice):
    now = datetime.now(UTC)
    turn = start_turn(alice, None, "Where?")
    assert where(turn.answer_id) == f"chat_message_{now.year}_{now.month:02}"


def test_the_default_partition_catches_and_keeps_what_no_month_takes(alice):
    talk = Conversation.objects.create(owner=alice)
    far = UUID(int=first_id(2031, 5).int + 12345)
    Message.objects.create(id=far, conversation=talk, role="user", text="Far?")
    assert where(far) == "chat_message_default"
    assert MESSAGES.make(2031, 5) is None
    assert MESSAGES.make(2031, 6) == "chat_message_2031_06"
    assert Message.objects.get(pk=far).text == "Far?"


@pytest.mark.parametrize(("year", "month"), [(2026, 11), (2027, 1)])
def test_first_id_is_the_smallest_of_its_month(year, month):
    first = first_id(year, month)
    assert first.int >> 80 == datetime(year, month, 1, tzinfo=UTC).timestamp() * 1000
    assert first < first_id(*next_month(year, month))
    assert new_id() > first_id(2026, 1)
