"""One fault at a time under live streams, with the result that reliability.md expects of it."""

import json
import re
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from .oracle import examine
from .reader import Reader, reading
from .stack import frozen
from .test_storm import ask, script, spoken

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300), pytest.mark.django_db]

CONVERSATIONS = "/api/v1/conversations"
FAKE_TIME = next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)


def begin(stack):
    """The address of a new conversation's turns."""
    status, _, body = stack.get(CONVERSATIONS, body={})
    assert status == 201
    return f"{CONVERSATIONS}/{json.loads(body)['id']}/turns"


@pytest.mark.chaos
def test_f06_a_frozen_redis_delays_words_and_nothing_else(stack, model):
    model.default, answer = script(100, delay=0.05)
    (web,) = stack.webs(1)
    stack.runners(1)
    stack.until(stack.is_ready)
    readers = ask(stack, [f"f{n}" for n in range(6)])
    with reading(readers):
        stack.until(partial(spoken, readers, 0.1, answer))
        threads = psutil.Process(web.pid).num_threads()
        with frozen(stack.redis), ThreadPoolExecutor(8) as people:
            status, _, body = stack.get("/ready")
            assert (status, json.loads(body)["checks"]["redis"]) == (503, "Redis does not answer")
            pages = list(people.map(lambda _: stack.get(CONVERSATIONS)[0], range(40)))
            late = ask(stack, ["asked meanwhile"])
            with reading(late):
                pass
            assert psutil.Process(web.pid).num_threads() < threads + 20
        assert pages == [200] * 40
        stack.until(stack.is_ready)
    assert examine(stack, model, readers + late, answer) == {"completed": 7}


def test_f07_a_full_redis_loses_no_turn(stack, model):
    model.default, answer = script(40, delay=0.02)
    stack.webs(1)
    stack.runners(1)
    server = redis.Redis.from_url(stack.home.redis_url())
    with server:
        server.config_set("maxmemory", "1")
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            server.set("anything", "at all")
        try:
            readers = ask(stack, [f"full{n}" for n in range(5)])
            with reading(readers):
                pass
            assert stack.get("/health")[0] == 200
        finally:
            server.config_set("maxmemory", "0")
    stack.until(stack.is_ready)
    assert examine(stack, model, readers, answer) == {"completed": 5}


def test_f08_f35_what_a_killed_postgres_acknowledged_is_there(stack, model):
    """What was answered with 201 is a row; the rest was told to come back, in plain words."""
    model.default, answer = script(100, delay=0.05)
    stack.webs(1)
    stack.runners(1)
    readers = ask(stack, [f"k{n}" for n in range(6)])
    answers, is_over = [], threading.Event()

    def keep_asking():
        while not is_over.is_set():
            answers.append(stack.get(CONVERSATIONS, body={}))

    with ThreadPoolExecutor(3) as people, reading(readers):
        asking = [people.submit(keep_asking) for _ in range(3)]
        stack.until(partial(spoken, readers, 0.2, answer))
        stack.kill_postgres()
        assert_alive_and_silent(stack)
        stack.until(lambda: any(status == 503 for status, *_ in answers))
        stack.return_postgres()
        told = len(answers)
        stack.until(lambda: any(status == 201 for status, *_ in answers[told:]))
        is_over.set()
        for done in asking:
            done.result()
    assert {status for status, *_ in answers} <= {201, 503}
    for status, headers, body in answers:
        if status == 503:
            assert headers["Retry-After"]
            assert json.loads(body)["type"] == "urn:parley:problem:unavailable"
    acknowledged = {json.loads(body)["id"] for status, _, body in answers if status == 201}
    kept = {pk for (pk,) in stack.rows("select id::text from chat_conversation")}
    assert acknowledged <= kept
    stack.until(stack.is_ready)
    assert examine(stack, model, readers, answer) == {"completed": 6}
    assert "already closed" not in stack.said()


def assert_alive_and_silent(stack):
    """Fault 35: alive, not ready, counted; nothing in a body that helps a stranger."""
    status, _, body = stack.get("/health")
    assert (status, json.loads(body)) == (200, {"status": "alive"})
    status, headers, body = stack.get("/ready")
    assert (status, json.loads(body)["checks"]["postgres"]) == (503, "Postgres does not answer")
    assert headers["Retry-After"]
    for secret in (str(stack.home.path), "postgres@", "sock", "Django", "127.0.0.1"):
        assert secret not in body
    assert not re.search(r"\d+\.\d+", body)
    assert stack.get("/metrics", Authorization="")[0] == 200


@pytest.mark.chaos
def test_f10_postgres_without_a_free_connection_says_when_to_come_back(stack, model):
    model.default, answer = script(200, delay=0.03)
    stack.webs(1)
    stack.runners(1)
    readers = ask(stack, [f"c{n}" for n in range(4)])
    with reading(readers), ExitStack() as hogs:
        stack.until(partial(spoken, readers, 0.1, answer))
        stack.kill_postgres()
        stack.return_postgres(max_connections="12")
        take_all_connections(stack, hogs)
        with ThreadPoolExecutor(12) as people:
            answers = list(people.map(lambda _: stack.get(CONVERSATIONS), range(12)))
        assert {status for status, *_ in answers} <= {200, 503}
        assert all(headers["Retry-After"] for status, headers, _ in answers if status == 503)
        assert stack.get("/health")[0] == 200
        hogs.close()
        stack.until(lambda: stack.get(CONVERSATIONS)[0] == 200)
    stack.kill_postgres()
    stack.return_postgres()
    assert examine(stack, model, readers, answer) == {"completed": 4}


def take_all_connections(stack, hogs):
    with suppress(psycopg.OperationalError):  # sorry, too many clients already
        while True:
            hogs.enter_context(stack.connect())


def test_f21_a_client_may_come_back_after_every_event_there_was(stack, model):
    model.default, _answer = script(60, delay=0.02)
    stack.webs(1)
    stack.runners(1)
    readers = ask(stack, ["everywhere"])
    with reading(readers):
        pass
    events = f"/api/v1/turns/{readers[0].turn}/events"
    whole = follow(stack, events)
    assert whole[0][0] > 0
    assert whole[-1][1] == "message_completed"
    for n, (seq, _, _) in enumerate(whole):
        assert follow(stack, events, after=seq) == whole[n + 1 :]
    for unknown in (whole[-1][0] + 1, 999_999_999):
        assert follow(stack, events, after=unknown) == [(None, "reload", {})]


def follow(stack, path, after=0):
    """What an event stream tells: (seq, kind, data)."""
    status, _, body = stack.get(path, Last_Event_ID=str(after))
    assert status == 200
    told = re.findall(r"(?:id: (\d+)\n)?event: (\w+)\ndata: (.*)\n\n", body)
    return [(int(seq) if seq else None, kind, json.loads(data)) for seq, kind, data in told]


def test_f23_two_tabs_and_two_stops_see_one_end(stack, model):
    model.default, answer = script(400, delay=0.02)
    stack.webs(2)
    stack.runners(1)
    (first,) = ask(stack, ["stop me"], stops_after=300)
    second = Reader("stop me", stack.session, stack.addresses)
    with reading([first]):
        second.turn = stack.until(lambda: first.turn)
        with reading([second]):
            pass
    assert examine(stack, model, [first, second], answer) == {"stopped": 1}
    assert first.last == second.last == "turn_stopped"
    assert first.text == second.text


def test_f24_twenty_equal_requests_are_one_question(stack, model):
    model.default, _answer = script(10, delay=0)
    stack.webs(2)
    stack.runners(1)
    turns = begin(stack)

    def post(n):
        port = stack.addresses()[n % 2]
        return stack.get(turns, port, body={"text": "Once?"}, Idempotency_Key="the-same")

    with ThreadPoolExecutor(20) as people:
        replies = list(people.map(post, range(20)))
    assert [body for status, _, body in replies if status != 202] == []
    assert len({body for *_, body in replies}) == 1
    assert stack.rows("select count(*) from chat_message where role = 'user'") == [(1,)]
    stack.until(lambda: stack.rows("select status from chat_turn") == [("completed",)])
    assert len(model.chat_requests) == 1


@contextmanager
def gossip(stack):
    """Everything rung to web processes and runners is rung again, twice and backwards."""
    told, is_over = set(), threading.Event()

    def repeat():
        with redis.Redis.from_url(stack.home.redis_url()) as client, client.pubsub() as heard:
            heard.psubscribe("parley:*")
            waiting = []
            while not is_over.is_set():
                message = heard.get_message(ignore_subscribe_messages=True, timeout=0.05)
                if message and message["data"] not in told:
                    told.add(message["data"])
                    waiting.append((message["channel"], message["data"]))
                if len(waiting) >= 5 or (waiting and not message):
                    for channel, data in 2 * waiting[::-1]:
                        client.publish(channel, data)
                    waiting.clear()

    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(repeat)
        try:
            yield told
        finally:
            is_over.set()
        done.result()


def test_f25_doorbells_twice_and_backwards_change_no_text(stack, model):
    model.default, answer = script(120, delay=0.02)
    stack.webs(2)
    stack.runners(2)
    readers = ask(stack, [f"g{n}" for n in range(8)])
    with gossip(stack) as told, reading(readers):
        pass
    assert len(told) > 50
    assert examine(stack, model, readers, answer) == {"completed": 8}


@pytest.mark.chaos
def test_f27_f28_a_rolling_restart_costs_nobody_a_character(stack, model):
    """SIGTERM to a web process and a runner under streams: not ready first, 1012, exit 0."""
    model.default, answer = script(150, delay=0.04)
    runners = stack.runners(1)
    for web in stack.webs(1):
        stack.kill(web)
    stack.processes.environment["PARLEY_DRAIN_SECONDS"] = "5"
    (web,) = stack.webs(1)
    del stack.processes.environment["PARLEY_DRAIN_SECONDS"]
    stack.webs(2)
    port = stack.ports[web]
    readers = ask(stack, [f"t{n:02}" for n in range(10)])
    with reading(readers):
        stack.until(partial(spoken, readers, 0.1, answer))
        stack.runners(2)
        web.send_signal(signal.SIGTERM)
        runners[0].send_signal(signal.SIGTERM)
        stack.until(lambda: "draining" in stack.get("/ready", port)[2])
        assert stack.get("/health", port)[0] == 200
        del stack.ports[web]
        assert web.wait(30) == 0
        assert runners[0].wait(30) == 0
    assert examine(stack, model, readers, answer) == {"completed": 10}
    assert 1012 in {code for reader in readers for code in reader.closes}


@pytest.mark.chaos
@pytest.mark.skipif(FAKE_TIME is None, reason="needs the package libfaketime")
def test_f30_a_process_with_a_wrong_clock_takes_and_loses_nothing(stack, model):
    """One runner and one web process live an hour ago, others a minute ahead."""
    model.default, answer = script(120, delay=0.03)
    for process in [*stack.webs(len(stack.ports)), *stack.kinds["runner"]]:
        if process.poll() is None:
            stack.kill(process)
    for shift in ("-1h", "+61s"):
        stack.processes.environment |= {
            "LD_PRELOAD": str(FAKE_TIME),
            "FAKETIME": shift,
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        stack.webs(len(stack.ports) + 1)
        stack.runners(len([r for r in stack.kinds["runner"] if r.poll() is None]) + 1)
    for name in ("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC"):
        del stack.processes.environment[name]
    readers = ask(stack, [f"h{n}" for n in range(8)])
    with reading(readers):
        pass
    try:
        assert examine(stack, model, readers, answer) == {"completed": 8}
        assert stack.rows("select max(fence) from events_stream") == [(1,)]
    finally:
        for process in [*stack.webs(2), *stack.kinds["runner"]]:
            stack.kill(process)
