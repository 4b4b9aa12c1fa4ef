"""Real web and runner processes on real servers, killed in the middle of answers."""

import contextlib
import io
import json
import shutil
import signal
import tempfile
import threading
import time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from websockets.exceptions import ConnectionClosed

from agents.models import Agent, ToolExecution
from chat.models import Message, Turn
from chat.services import start_turn
from embedded import redis as embedded_redis
from embedded.home import Home
from observability.doorbell import connection as heartbeats_redis
from observability.heartbeats import seen
from tests.chat.stage import connected
from tests.support.model_server import Script, calling
from tests.support.processes import Processes, Tab, ask, is_kind, logged_text, sign_in

pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(400),
    pytest.mark.django_db(transaction=True),
]

TEXT = "".join(f"{n:03} " for n in range(60))
SLOW = Script(text=TEXT, token_size=4, delay=0.03)
HELD = Script(text=TEXT, token_size=4, hang_after=30)  # until somebody ends it


@pytest.fixture
def processes():
    found = Processes()
    yield found
    found.end()


@pytest.fixture(scope="module")
def web_port(django_db_setup):
    """A web process for all tests of this file; it holds no work, so they cannot meet there."""
    found = Processes()
    yield found.serve()[1]
    found.end()


@pytest.fixture
def open_tab():
    with contextlib.ExitStack() as opened:
        yield lambda port, session: opened.enter_context(Tab(port, session))


@pytest.fixture
def model(admin, model_server):
    """The built-in agent asks a scripted server on loopback."""
    return connected(admin, model_server, SLOW)


def test_a_killed_runners_answer_is_kept_and_labelled(processes, model, open_tab, web_port, alice):
    """Fault 2: closed by another runner when its lease is over, never two writers."""
    model.default = HELD
    first = processes.start("runner", "--lease", "2")
    tab = open_tab(web_port, sign_in(alice))
    turn = ask(tab)
    tab.until(lambda _frame: len(tab.text) > 60)
    first.kill()
    processes.start("runner", "--lease", "2")
    end = tab.until(is_kind("turn_interrupted", "reload"))
    if end["type"] == "reload":  # it had heard words that nobody stored: start over, honestly
        tab.frames.clear()
        tab.send(type="subscribe", stream=turn, after=0)
        tab.until(is_kind("turn_interrupted"))
    answer = Turn.objects.get(pk=turn).answer
    assert (answer.turn.status, answer.status) == ("interrupted", "interrupted")
    assert answer.text
    assert TEXT.startswith(answer.text)
    assert answer.text == tab.text == logged_text(turn)
    assert len(model.chat_requests) == 1


def test_a_killed_web_process_loses_nothing(processes, model, open_tab, web_port, alice):
    """Fault 1: the text is identical on another process, and the model was asked once."""
    processes.start("runner")
    web, port = processes.serve()
    session = sign_in(alice)
    tab = open_tab(port, session)
    turn = ask(tab)
    tab.until(lambda _frame: len(tab.text) > 60)
    web.kill()
    with pytest.raises(ConnectionClosed):
        tab.until(is_kind("message_completed"))
    back = open_tab(web_port, session)
    back.send(type="subscribe", stream=turn, after=tab.last_seq)
    back.until(is_kind("message_completed"))
    assert tab.text + back.text == TEXT
    assert Message.objects.get(turn=turn).text == TEXT
    assert len(model.chat_requests) == 1


def test_a_killed_redis_delays_and_loses_nothing(model, open_tab, alice):
    """Fault 5: words come by the two-second tick; a new question is found by looking."""
    home = Home(Path(tempfile.mkdtemp(prefix="parley-redis-")))
    home.prepare()
    server = embedded_redis.start(home, {"appendonly": "no"})
    processes = Processes(REDIS_URL=home.redis_url())
    try:
        processes.start("runner")
        _web, port = processes.serve()
        tab = open_tab(port, sign_in(alice))
        ask(tab)
        tab.until(lambda _frame: len(tab.text) > 40)
        server.kill()
        server.wait()
        tab.until(is_kind("message_completed"))
        assert tab.text == TEXT
        tab.frames.clear()
        tab.send(type="turn.start", id="2", text="Without Redis?")
        tab.until(is_kind("message_completed"))
        assert tab.text == TEXT
        server = embedded_redis.start(home, {"appendonly": "no"})
        tab.frames.clear()
        tab.send(type="turn.start", id="3", text="And again?")
        tab.until(is_kind("message_completed"))
        assert tab.text == TEXT
    finally:
        processes.end()
        server.kill()
        server.wait()
        shutil.rmtree(home.path)


def test_a_stopped_answer_leaves_the_model_at_once(processes, model, open_tab, web_port, alice):
    model.default = HELD
    processes.start("runner")
    tab = open_tab(web_port, sign_in(alice))
    turn = ask(tab)
    tab.until(lambda _frame: len(tab.text) > 40)
    tab.send(type="turn.stop", turn_id=turn)
    tab.until(is_kind("turn_stopped"))
    assert model.wait_for(lambda server: server.disconnects == 1)
    assert Message.objects.get(turn=turn).text == tab.text


def test_a_runner_told_to_stop_finishes_what_it_has(processes, model, alice):
    """Fault 28: an ordinary stop loses nothing; a second one does not wait."""
    runner = processes.start("runner")
    turn = start_turn(alice, None, "Numbers?")
    assert model.wait_for(lambda server: len(server.chat_requests) == 1, timeout=60)
    runner.send_signal(signal.SIGTERM)
    assert runner.wait(30) == 0
    turn.refresh_from_db()
    assert (turn.status, turn.answer.text) == ("completed", TEXT)

    model.default = Script(text=TEXT, hang_after=10)
    runner = processes.start("runner")
    turn = start_turn(alice, None, "Never ending?")
    assert model.wait_for(lambda server: len(server.chat_requests) == 2, timeout=60)
    deadline = time.monotonic() + 20
    while not logged_text(turn.pk) and time.monotonic() < deadline:
        time.sleep(0.05)
    for _ in range(2):
        runner.send_signal(signal.SIGTERM)
        time.sleep(0.5)
    assert runner.wait(10) == 0
    turn.refresh_from_db()
    assert turn.status == "interrupted"
    assert TEXT.startswith(turn.answer.text)
    assert turn.answer.text


def terminal(*arguments):
    """What `manage.py ask` prints."""
    printed = io.StringIO()
    call_command("ask", *arguments, stdout=printed, no_color=True)
    return printed.getvalue()


def test_asking_from_the_terminal(processes, model, admin, alice):
    heartbeats_redis().flushdb()  # what killed runners left behind
    with pytest.raises(CommandError, match="Start it with `make up`"):
        terminal("Anybody there?")

    processes.start("runner")
    deadline = time.monotonic() + 60
    while not seen("runner"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert terminal("Numbers?", "--as", alice.email).startswith(TEXT.strip())
    assert Turn.objects.get().requested_by == alice

    answer = json.loads(terminal("Numbers?", "--json").splitlines()[-1])
    assert answer["answer"].strip() == TEXT.strip()
    assert answer["citations"] == []
    assert answer["model"] == "scripted"
    assert answer["usage"]["completion_tokens"] == 5
    assert Turn.objects.get(pk=answer["turn_id"]).requested_by == admin

    for option, value, said in (
        ("--collection", "Nowhere", "There is no collection"),
        ("--as", "nobody@example.org", "There is no active person"),
        ("--agent", "nobody", "There is no agent"),
    ):
        with pytest.raises(CommandError, match=said):
            terminal("Numbers?", option, value)


def test_a_killed_runners_calls_of_tools_are_not_made_again(processes, model, web_port, alice):
    """A run with tools goes on at its next step in another process, with nothing done twice."""
    Agent.objects.create(
        owner=alice, name="Counting", slug="counting", max_passages=0, tools=["calculate"]
    )
    go_on = threading.Event()
    hung = Script(text="It is 42.", hang_after=0, go_on=go_on)
    model.queue(calling(("calculate", {"expression": "6*7"}), text="Let me see."), hung)
    model.default = Script(text="It is 42.")
    first = processes.start("runner", "--lease", "2")
    turn = start_turn(alice, None, "What is it?", agent="counting")
    assert model.wait_for(lambda server: len(server.chat_requests) == 2, 60)
    (made,) = ToolExecution.objects.filter(run_id=turn.pk)
    first.kill()
    processes.start("runner", "--lease", "2")
    deadline = time.monotonic() + 90
    while not Turn.objects.filter(pk=turn.pk, finished_at__isnull=False).exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    go_on.set()
    answer = Turn.objects.get(pk=turn.pk).answer
    assert (answer.turn.status, answer.text) == ("completed", "Let me see.\n\nIt is 42.")
    (still,) = ToolExecution.objects.filter(run_id=turn.pk)
    assert (still.pk, still.output, still.finished_at) == (made.pk, "6*7 = 42", made.finished_at)
    assert len(model.chat_requests) == 3


@pytest.mark.chaos
@pytest.mark.parametrize("pause", [0.2, 0.5, 0.9, 1.4, 2.0])
def test_kills_at_any_moment_of_a_run_with_tools(processes, model, alice, pause):
    """Whenever its runners die: no call is made twice, no word is there twice, and it ends."""
    steps, whole = 6, "\n\n".join([*(f"Step {n}." for n in range(6)), "Done."])
    Agent.objects.create(
        owner=alice, name="Counting", slug="counting", max_passages=0, tools=["calculate"]
    )

    def next_step(body):
        n = sum(message["role"] == "tool" for message in body["messages"])
        if n == steps:
            return Script(text="Done.", delay=0.05)
        return calling(("calculate", {"expression": f"{n}+1"}), text=f"Step {n}.", delay=0.05)

    model.default = next_step
    turn = start_turn(alice, None, "Count.", agent="counting")
    for _ in range(2):
        runner = processes.start("runner", "--lease", "2")
        begun = len(model.chat_requests)
        model.wait_for(lambda server, begun=begun: len(server.chat_requests) > begun, 60)
        time.sleep(pause)
        runner.kill()
    processes.start("runner", "--lease", "2")
    deadline = time.monotonic() + 120
    while not Turn.objects.filter(pk=turn.pk, finished_at__isnull=False).exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    ended = Turn.objects.get(pk=turn.pk)
    assert whole.startswith(ended.answer.text)
    assert (ended.status, ended.answer.text) == ("completed", whole) or (
        ended.status == "interrupted"
    )
    made = ToolExecution.objects.filter(run_id=turn.pk)
    assert [one.output for one in made.order_by("id")] == [
        f"{n}+1 = {n + 1}" for n in range(made.count())
    ]
