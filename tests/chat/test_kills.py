"""Real runners, killed at each thing that a run with tools writes: just before it is written, and
when it is written but nobody has heard so. A trigger in Postgres holds the statement there.

Whatever the moment: what acts acts once at most, no word is there twice, a note is heard once, and
there is one answer.
"""

import signal
import time
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection

from agents.models import Agent, RunNote, RunStep, ToolExecution, ToolPermission
from chat.models import Message, Turn
from chat.services import start_turn
from chat.turns.progress import rebuild
from events import log
from tests.chat.stage import connected
from tests.support.model_server import Script, calling, model_server
from tests.support.processes import Processes
from tests.support.web import page, serve

__all__ = ["model_server"]
pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(400),
    pytest.mark.django_db(transaction=True),
]
LOCK = 707_707
WHOLE = "One.\n\nTwo.\n\nThree.\n\nDone."
NOTE = "Look also at the ferries."
FUNCTION = f"""
create or replace function hold_at_border() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock_shared({LOCK});
    return new;
end $$
"""
# What is written, in its order: the table, and when; whether an end without the rest is right,
# since words were said that no step was behind.
BORDERS = {
    "begun": ("event", "new.kind = 'turn_started'"),
    "spoke of an act": ("agents_runstep", "new.ordinal = 1"),
    "begins to act": ("agents_toolexecution", "new.status = 'running'"),
    "has acted": ("agents_toolexecution", "new.tool = 'fetch_page' and new.status <> 'running'"),
    "told of the act": ("event", "new.kind = 'tool_completed'"),
    "heard a note": ("agents_runnote", "new.step is not null"),
    "spoke of a look": ("agents_runstep", "new.ordinal = 2"),
    "has looked": ("agents_toolexecution", "new.tool = 'calculate'"),
    "spoke of the last look": ("agents_runstep", "new.ordinal = 3"),
    "said its last words": ("event", "new.kind = 'usage_recorded'"),
    "ended": ("chat_turn", "new.finished_at is not null"),
}
SHORT = {("begins to act", "before"), ("begins to act", "after"), ("has acted", "after")}
CASES = [
    pytest.param(
        border, when, id=f"{when} {border}",
        marks=[] if (border, when) in SHORT else [pytest.mark.chaos],
    )
    for border in BORDERS
    for when in ("before", "after")
]  # fmt: skip


@pytest.fixture
def site():
    with serve({"/pay": page(b"<p>Thank you.</p>", "text/html")}) as found:
        yield found


@pytest.fixture
def processes():
    found = Processes(PARLEY_WEB_NETWORKS="127.0.0.0/8")
    yield found
    found.end()


@pytest.fixture
def agent(alice, model_server, site):
    calls = [
        calling(("fetch_page", {"url": site.at("/pay")}), text="One."),
        calling(("calculate", {"expression": "1+1"}), text="Two."),
        calling(("calculate", {"expression": "2+2"}), text="Three."),
    ]

    def next_step(body):
        n = sum(message["role"] == "tool" for message in body["messages"])
        return calls[n] if n < len(calls) else Script(text="Done.")

    connected(alice, model_server, next_step)
    made = Agent.objects.create(
        owner=alice, name="Clerk", slug="clerk", max_passages=0, tools=["fetch_page", "calculate"]
    )
    ToolPermission.objects.create(owner=alice, agent=made, tool="fetch_page", title="Fetch")
    return made


@contextmanager
def held(border):
    """A session whose lock holds whoever comes to the border; the trigger is gone afterwards."""
    table, condition = BORDERS[border]
    database = connection.settings_dict
    keys = {"host": "host", "port": "port", "user": "user", "password": "password"}
    known = {k: database[k.upper()] for k in keys if database.get(k.upper())}
    with psycopg.connect(dbname=database["NAME"], autocommit=True, **known) as session:
        session.execute(FUNCTION)
        session.execute(f"select pg_advisory_lock({LOCK})")
        session.execute(
            f"create trigger hold_at_border before insert or update on {table} for each row "
            f"when ({condition}) execute function hold_at_border()"
        )
        try:
            yield session
        finally:
            session.execute("select pg_advisory_unlock_all()")
            session.execute(f"drop trigger hold_at_border on {table}")


def waiting(session):
    """The process of Postgres that stands at the border."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        found = session.execute(
            "select pid from pg_locks where locktype = 'advisory' and not granted and objid = %s",
            [LOCK],
        ).fetchone()
        if found:
            return found[0]
        time.sleep(0.02)
    raise AssertionError("nobody came to the border")


def ended(turn):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found = Turn.objects.filter(pk=turn.pk, finished_at__isnull=False).first()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("the turn did not end")


def told(turn):
    """What a page has that followed it from the beginning."""
    return "".join(rebuild(log.read_all(turn.pk)).text)


@pytest.mark.parametrize(("border", "when"), CASES)
def test_a_runner_is_killed_there(processes, agent, alice, site, model_server, border, when):
    with held(border) as session:
        turn = start_turn(alice, None, "Pay, and count.", agent="clerk")
        RunNote.objects.create(run_id=turn.pk, owner=alice, text=NOTE)
        runner = processes.start("runner", "--lease", "2")
        pid = waiting(session)
        runner.send_signal(signal.SIGKILL)
        runner.wait()
        if when == "before":
            session.execute("select pg_terminate_backend(%s)", [pid])
    processes.start("runner", "--lease", "2")
    turn = ended(turn)
    answer = turn.answer
    assert (turn.status, answer.text) == ("completed", WHOLE) or (
        turn.status == "interrupted" and WHOLE.startswith(answer.text)
    )
    assert told(turn) == answer.text
    assert Message.objects.filter(role="assistant", parent=turn.question_id).count() == 1
    assert [path for path, _ in site.heard] in ([], ["/pay"])
    made = ToolExecution.objects.filter(run_id=turn.pk).exclude(status="running")
    if turn.status == "completed":
        assert sorted(one.tool for one in made) == ["calculate", "calculate", "fetch_page"]
        acted = made.get(tool="fetch_page")
        assert (acted.status == "done") == bool(acted.taints)
        assert [step.ordinal for step in RunStep.objects.order_by("ordinal")] == [1, 2, 3]
        last = [m["content"] for m in model_server.chat_requests[-1]["messages"]]
        assert last.count(NOTE) == 1
    note = RunNote.objects.get()
    assert note.step is not None or note.asked_as is not None  # heard, or asked next


def test_a_runner_that_slept_longer_than_its_lease_does_nothing_twice(
    processes, agent, alice, site, model_server
):
    """Frozen at the border of an act, before its row; another one has acted when it wakes."""
    with held("begins to act") as session:
        turn = start_turn(alice, None, "Pay, and count.", agent="clerk")
        first = processes.start("runner", "--lease", "2")
        pid = waiting(session)
        first.send_signal(signal.SIGSTOP)
        session.execute("select pg_terminate_backend(%s)", [pid])  # its statement is lost
    processes.start("runner", "--lease", "2")
    turn = ended(turn)
    assert (turn.status, turn.answer.text) == ("completed", WHOLE)
    first.send_signal(signal.SIGCONT)
    time.sleep(3)  # it tries again, and finds that the run is not its own
    assert [path for path, _ in site.heard] == ["/pay"]
    assert ToolExecution.objects.get(tool="fetch_page").attempts == 1
    assert first.poll() is None  # it goes on with other turns
    assert told(turn) == WHOLE
