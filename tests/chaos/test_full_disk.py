"""Fault 11: the disk under Postgres is full; what was acknowledged is there, nothing is half there.

Needs the right to mount a small file system, and is skipped with a word about it elsewhere.
"""

import json
import os
import random
import tempfile
from pathlib import Path

import pytest

from tests.support.disks import small_disk

from .stack import Stack

pytestmark = [
    pytest.mark.processes,
    pytest.mark.chaos,
    pytest.mark.timeout(600),
    pytest.mark.django_db(transaction=True),
]

LEFT = 3 * 2**20  # bytes free when the writing begins
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
WHOLE = """
select count(*), count(q.id), count(a.id), count(s.id) from chat_turn t
left join chat_message q on q.id = t.question_id left join chat_message a on a.id = t.answer_id
left join events_stream s on s.id = t.id
"""


@pytest.fixture
def stack(dump, monkeypatch):
    with small_disk(Path(tempfile.mkdtemp(prefix="parley-full-")), "420m") as disk:
        monkeypatch.setattr(tempfile, "tempdir", str(disk))
        found = Stack(*dump)
        try:
            yield found
        finally:
            found.end()


def fill(folder):
    """Take everything but a little of the disk; returns the file to give back."""
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    filler = Path(folder) / "filler"
    filler.write_bytes(b"\0" * max(free - LEFT, 0))
    return filler


def text_of(chance):
    """Hard to compress."""
    return "".join(chance.choices(LETTERS, k=60_000))


def ask(stack, conversation, text):
    """The status, and the id of the turn when it was taken."""
    place = f"/api/v1/conversations/{conversation}/turns"
    status, headers, answer = stack.get(place, body={"text": text})
    assert status == 202 or headers["Content-Type"] == "application/problem+json", answer
    return status, json.loads(answer).get("turn_id")


def test_f11_writes_are_refused_cleanly_and_what_was_acknowledged_stays(stack):
    stack.webs(1)
    place = json.loads(stack.get("/api/v1/conversations", body={})[2])["id"]
    chance = random.Random(11)
    filler = fill(stack.home.path)
    statuses, acknowledged = [], set()
    while statuses.count(503) < 4:
        status, turn = ask(stack, place, text_of(chance))
        statuses.append(status)
        acknowledged |= {turn} if status == 202 else set()
    assert set(statuses) == {202, 503}
    reads = stack.get("/api/v1/conversations")[0]
    assert reads == (200 if stack.postgres.poll() is None else 503)
    filler.unlink()
    if stack.postgres.poll() is not None:  # what `up` does
        stack.return_postgres()
    stack.until(lambda: ask(stack, place, "Is there room again?")[0] == 202)
    found = stack.rows("select id::text from chat_turn")
    assert acknowledged <= {row[0] for row in found}
    assert len(set(stack.rows(WHOLE)[0])) == 1
