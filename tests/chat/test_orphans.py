import pytest
from django.db import connection

from accounts.models import Grant
from accounts.services import share
from chat.retention.orphans import remove_orphaned_rows
from chat.services import create_conversation, start_turn
from events import jobs, leases, log
from events.models import Event, Stream
from security.ids import new_id

pytestmark = pytest.mark.django_db


def test_rows_that_point_at_nothing_go_and_others_stay(alice, bob, monkeypatch):
    monkeypatch.setattr("chat.retention.orphans.BATCH", 2)
    kept = start_turn(alice, None, "Numbers?")
    job = jobs.enqueue("no.such.task", {})
    share(kept.conversation, bob, "reader", by=alice)
    lost = [leases.open_stream(new_id(), "turn") for _ in range(5)]
    for stream in lost:
        claim = leases.claim_one(stream.pk, "a")
        log.append(stream.pk, claim.fence, [("turn_started", {})])
    young = leases.open_stream(new_id(), "turn")
    long_ago = "now() - interval '2 hours'"
    with connection.cursor() as cursor:
        cursor.execute(f"update events_stream set created_at = {long_ago} where id <> %s",
            [young.pk])  # fmt: skip
    gone = create_conversation(alice, "gone")
    share(gone, bob, "reader", by=alice)
    type(gone).objects.filter(pk=gone.pk).delete()
    assert remove_orphaned_rows() == 5 + 1
    assert remove_orphaned_rows() == 0
    assert set(Stream.objects.values_list("pk", flat=True)) == {kept.pk, job.pk, young.pk}
    assert not Event.objects.filter(stream__in=lost).exists()
    assert Grant.objects.get().object_id == kept.conversation_id
