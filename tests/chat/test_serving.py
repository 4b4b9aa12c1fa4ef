"""Serving under load, on real processes: silent clients, a restart, all coming back at once."""

import asyncio
import contextlib
import json
import resource
import signal
import socket
import time
import urllib.error
import urllib.request

import psutil
import pytest
from django.conf import settings
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from chat.models import Turn
from chat.services import start_turn
from observability.db import connect_directly
from tests.chat.stage import connected
from tests.support.model_server import Script
from tests.support.processes import Processes, Tab, ask, is_kind, sign_in

pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(180),
    pytest.mark.django_db(transaction=True),
]
MEGABYTE = 2**20
WEB = "web-under-test"
TEXT = "".join(f"{n:03} " for n in range(60))
SLOW = Script(text=TEXT, token_size=4, delay=0.1)
BIG = Script(text="".join(f"{n:07} " for n in range(120_000)), token_size=400)  # 1 MB


@pytest.fixture
def processes():
    found = Processes()
    yield found
    found.end()


@pytest.fixture(scope="module")
def webs(django_db_setup, django_db_blocker):
    """Web processes whose connections to Postgres can be told from others'."""
    with django_db_blocker.unblock():
        found = Processes(PARLEY_DRAIN_SECONDS="2")
    address = found.environment["DATABASE_URL"]
    mark = "&" if "?" in address else "?"
    found.environment["DATABASE_URL"] = f"{address}{mark}application_name={WEB}"
    yield found
    found.end()


@pytest.fixture(scope="module")
def web(webs):
    """One that stays, for all tests of this file."""
    return webs.serve()


@pytest.fixture
def model(admin, model_server):
    return connected(admin, model_server, SLOW)


def wait_until(is_so, seconds=60):
    deadline = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def ended(turn):
    return Turn.objects.filter(pk=turn, finished_at__isnull=False).exists()


# -- clients that read nothing ----------------------------------------------------------------


def silent(port, head, *, body=b""):
    """A client with a small window that sends and never reads."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(20)
    client.connect(("127.0.0.1", port))
    client.sendall(head + body)
    return client


def silent_socket(port, session, turn):
    host = f"127.0.0.1:{port}"
    head = (
        f"GET /ws/ HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nCookie: {settings.SESSION_COOKIE_NAME}={session}\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    client = silent(port, head.encode())
    assert client.recv(12) == b"HTTP/1.1 101"
    frame = json.dumps({"type": "subscribe", "stream": str(turn), "after": 0}).encode()
    client.sendall(bytes([0x81, 0x80 | len(frame), 0, 0, 0, 0]) + frame)
    return client


def silent_stream(port, session, turn):
    head = (
        f"GET /api/v1/turns/{turn}/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Cookie: {settings.SESSION_COOKIE_NAME}={session}\r\n\r\n"
    )
    client = silent(port, head.encode())
    assert client.recv(12) == b"HTTP/1.1 200"
    return client


@pytest.mark.parametrize("follow", [silent_socket, silent_stream])
def test_f22_who_never_reads_costs_little_and_the_answer_is_completed(
    web, processes, model, alice, follow
):
    server, port = web
    session, process = sign_in(alice), psutil.Process(server.pid)
    model.default = BIG
    turn = start_turn(alice, None, "A long one?").pk
    clients = [follow(port, session, turn) for _ in range(10)]
    processes.start("runner")
    wait_until(lambda: ended(turn), 90)
    assert Turn.objects.get(pk=turn).answer.text == BIG.text
    before = wait_until(lambda: is_still(process))
    clients += [follow(port, session, turn) for _ in range(40)]
    after = wait_until(lambda: is_still(process))
    print(f"{follow.__name__}: {(after - before) / 40 / 1024:.0f} KB for each")
    assert (after - before) / 40 < MEGABYTE
    for client in clients:
        client.close()


def is_still(process):
    """The memory it has, once that has stopped to grow."""
    sizes = []
    for _ in range(8):
        sizes.append(process.memory_info().rss)
        time.sleep(0.1)
    return sizes[-1] if max(sizes) - min(sizes) < MEGABYTE / 2 else None


# -- a restart --------------------------------------------------------------------------------


def status_of(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as answer:
        return answer.code
    except OSError:
        return 0


def test_f27_a_web_process_told_to_stop_loses_nothing(webs, web, processes, model, alice):
    """Not ready first, then sockets are closed with 1012; their streams go on elsewhere, and a
    question in the last moment becomes exactly one."""
    processes.start("runner")
    other, (server, port) = web[1], webs.serve()
    session = sign_in(alice)
    with contextlib.ExitStack() as opened:
        tabs = [opened.enter_context(Tab(port, session)) for _ in range(3)]
        turn = ask(tabs[0])
        tabs[1].send(type="subscribe", stream=turn, after=0)
        for tab in tabs[:2]:
            tab.until(lambda _frame, tab=tab: len(tab.text) > 20)
        server.send_signal(signal.SIGTERM)
        told = time.monotonic()
        wait_until(lambda: status_of(port, "/ready") in {503, 0}, 10)
        late = {"type": "turn.start", "id": "once", "text": "Once?"}
        with contextlib.suppress(ConnectionClosed):
            while True:
                tabs[2].send(**late)
                tabs[2].until(is_kind("accepted"))
        for tab in tabs[:2]:
            with pytest.raises(ConnectionClosed) as closed:
                tab.until(is_kind("message_completed"))
            assert closed.value.rcvd.code == 1012
        assert server.wait(30) == 0
        assert time.monotonic() - told < 30
        for tab in tabs[:2]:
            back = opened.enter_context(Tab(other, session))
            back.send(type="subscribe", stream=turn, after=tab.last_seq)
            back.until(is_kind("message_completed"))
            assert tab.text + back.text == TEXT
        back.send(**late)
        assert back.until(is_kind("accepted"))["id"] == "once"
    assert Turn.objects.count() == 2


# -- everybody at once ------------------------------------------------------------------------


async def come_back(port, session, turn):
    """One tab: how long until it was let in, and the text it was shown."""
    host, loop = f"127.0.0.1:{port}", asyncio.get_running_loop()
    began, text = loop.time(), []
    opening = connect(
        f"ws://{host}/ws/",
        origin=f"http://{host}",
        additional_headers={"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"},
        open_timeout=90,
        ping_interval=None,
        compression=None,
    )
    async with opening as tab:
        opened = loop.time() - began
        await tab.send(json.dumps({"type": "subscribe", "stream": turn, "after": 0}))
        async for raw in tab:
            frame = json.loads(raw)
            if frame.get("kind") == "text_delta":
                text.append(frame["data"]["text"])
            elif frame.get("kind") == "message_completed":
                return opened, "".join(text)
    return opened, ""


def everybody(web, processes, alice, count):
    """All come back to one process while an answer is written."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 2 * count + 500)), hard))
    port = web[1]
    processes.start("runner")
    session = sign_in(alice)
    turn = str(start_turn(alice, None, "Numbers?").pk)
    connections = []

    async def look():
        while True:
            connections.append(await asyncio.to_thread(connections_of_web))
            await asyncio.sleep(0.1)

    async def scenario():
        looking = asyncio.create_task(look())
        found = await asyncio.gather(*(come_back(port, session, turn) for _ in range(count)))
        looking.cancel()
        return found

    found = asyncio.run(scenario())
    waits = sorted(wait for wait, _text in found)
    return waits, {text for _wait, text in found}, max(connections)


def connections_of_web():
    with connect_directly() as own:
        asked = "select count(*) from pg_stat_activity where application_name = %s"
        return own.execute(asked, [WEB]).fetchone()[0]


def test_f26_a_hundred_tabs_come_back_at_once(web, processes, model, alice):
    _waits, texts, connections = everybody(web, processes, alice, 100)
    assert texts == {TEXT}
    assert connections <= settings.DATABASES["default"]["OPTIONS"]["pool"]["max_size"]


@pytest.mark.chaos
@pytest.mark.timeout(400)
def test_f26_two_thousand_tabs_come_back_at_once(web, processes, model, alice):
    waits, texts, connections = everybody(web, processes, alice, 2000)
    memory = psutil.Process(web[0].pid).memory_info().rss // MEGABYTE
    print(f"let in: p50 {waits[1000]:.1f} s, p99 {waits[1980]:.1f} s, all {waits[-1]:.1f} s")
    print(f"connections to Postgres: {connections} at most; memory afterwards {memory} MB")
    assert texts == {TEXT}
    assert connections <= settings.DATABASES["default"]["OPTIONS"]["pool"]["max_size"]


@pytest.mark.chaos
@pytest.mark.timeout(400)
def test_an_idle_socket_costs_little_memory(web, alice):
    server, port = web
    session, count = sign_in(alice), 1000
    process = psutil.Process(server.pid)

    async def scenario():
        host = f"127.0.0.1:{port}"
        headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"}
        async with contextlib.AsyncExitStack() as opened:
            sizes = []
            for _ in range(2):
                for _ in range(count):
                    tab = connect(f"ws://{host}/ws/", origin=f"http://{host}", compression=None,
                                  additional_headers=headers, open_timeout=60)  # fmt: skip
                    await opened.enter_async_context(tab)
                sizes.append(process.memory_info().rss)
            return sizes

    first, second = asyncio.run(scenario())
    each = (second - first) / count
    print(f"an idle socket costs {each / 1024:.0f} KB")
    assert each < 150 * 1024
