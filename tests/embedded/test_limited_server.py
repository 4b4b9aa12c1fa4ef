"""What one connection may cost, seen from outside: the server of `manage.py serve` with small
limits and an application that misbehaves on request (`tests.support.probe`)."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import psutil
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from embedded.home import REPOSITORY

pytestmark = [pytest.mark.processes, pytest.mark.timeout(120)]
MEGABYTE = 2**20


class Probe:
    """The process and its address."""

    def __init__(self, **limits):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = free.getsockname()
        changes = [f"{name}={value}" for name, value in limits.items()]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.probe", str(self.address[1]), *changes],
            cwd=REPOSITORY,
            env=os.environ | {"PYTHONPATH": ".:platform", "PYTHONWARNINGS": "ignore"},
        )
        self.until(self.is_up, 60)

    def is_up(self):
        assert self.process.poll() is None
        with contextlib.suppress(OSError), socket.create_connection(self.address):
            return True
        return False

    def open(self, receive_buffer=None):
        client = socket.socket()
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.settimeout(12)
        client.connect(self.address)
        return client

    def send(self, request, **options):
        client = self.open(**options)
        client.sendall(request)
        return client

    def get(self, path):
        place = "http://{}:{}{}".format(*self.address, path)
        with urllib.request.urlopen(place, timeout=30) as answer:
            return answer.read()

    def counts(self):
        return json.loads(self.get("/count"))

    def socket(self, path):
        return connect("ws://{}:{}{}".format(*self.address, path), max_size=None)

    @property
    def memory(self):
        return psutil.Process(self.process.pid).memory_info().rss

    def until(self, is_so, seconds=40):
        deadline = time.monotonic() + seconds
        while not (found := is_so()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return found


@pytest.fixture(scope="module")
def probe():
    found = Probe(
        body_bytes=48 * MEGABYTE, header_seconds=2, body_seconds=1, body_pace=5_000, idle_seconds=3,
        unread_seconds=4, left_seconds=1,
    )  # fmt: skip
    found.get("/count")
    yield found
    found.process.kill()
    found.process.wait()


def everything(client):
    """What comes until the server closes the connection."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := client.recv(65_536):
            parts.append(part)
    client.close()
    return b"".join(parts)


def drip(client, pieces, pause=0.1):
    """Send piece by piece until the server has had enough; what it answered."""
    client.settimeout(pause)
    with client:
        for piece in pieces:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                client.sendall(piece)
            with contextlib.suppress(TimeoutError):
                return client.recv(65_536)
    raise AssertionError("the server is still listening")


HEAD = b"POST /read HTTP/1.1\r\nHost: localhost\r\n"
SLOW = {
    "a request line, byte by byte": (b"", [b"x"] * 600),
    "a header, byte by byte": (b"GET /count HTTP/1.1\r\nX-Long: ", [b"x"] * 600),
    "header after header": (b"GET /count HTTP/1.1\r\n", [b"X-A: b\r\n"] * 600),
    "a body, byte by byte": (HEAD + b"Content-Length: 100000\r\n\r\n", [b"x"] * 600),
    "a chunked body, byte by byte": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
        [b"1\r\nx\r\n"] * 600,
    ),
}


@pytest.mark.parametrize("begin", SLOW)
def test_a_client_that_sends_slowly_is_cut_off(probe, begin):
    first, pieces = SLOW[begin]
    answer = drip(probe.send(first), pieces)

    assert answer.startswith(b"HTTP/1.1 408")
    assert b"nosniff" in answer


def test_a_body_that_stalls_is_cut_off_and_one_that_keeps_its_pace_is_not(probe):
    stalled = probe.send(HEAD + b"Content-Length: 100000\r\n\r\n" + b"x" * 99_000)
    assert everything(stalled).startswith(b"HTTP/1.1 408")

    pieces = [b"x" * 4_000] * 30  # 40 KB/s for three seconds
    paced = probe.send(HEAD + b"Connection: close\r\nContent-Length: 120000\r\n\r\n")
    for piece in pieces:
        paced.sendall(piece)
        time.sleep(0.1)
    assert everything(paced).endswith(b"120000")


def test_a_silent_connection_is_closed_before_and_between_requests(probe):
    assert everything(probe.open()).startswith(b"HTTP/1.1 408")

    between = http.client.HTTPConnection(*probe.address, timeout=30)
    between.request("GET", "/count")
    assert between.getresponse().read()
    assert between.sock.recv(1) == b""
    between.close()


@pytest.mark.parametrize("kind", ["announced", "chunked"])
def test_bodies_wait_on_disk_and_not_in_memory(probe, kind):
    """Daphne would hold each of them, before anybody is asked who is calling."""
    before = probe.memory
    count, size = 6, 40 * MEGABYTE
    if kind == "announced":
        body = b"Content-Length: %d\r\n\r\n" % size + b"x" * size
    else:
        chunk = b"%x\r\n" % MEGABYTE + b"x" * MEGABYTE + b"\r\n"
        body = b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 40 + b"0\r\n\r\n"
    clients = [probe.send(HEAD + b"Connection: close\r\n" + body) for _ in range(count)]
    for client in clients:
        assert everything(client).endswith(b"%d" % size)
    assert probe.memory - before < 20 * MEGABYTE


@pytest.mark.parametrize(
    "length", [b"Content-Length: 300000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"]
)
def test_s35_a_body_that_is_too_large_is_a_413_before_it_is_stored(probe, length):
    parts = probe.counts().get("read.parts", 0)
    client = probe.send(HEAD + length)
    if b"chunked" in length:
        chunk = b"%x\r\n" % MEGABYTE + b"x" * MEGABYTE + b"\r\n"
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(60):
                client.sendall(chunk)
    assert everything(client).startswith(b"HTTP/1.1 413")
    assert probe.counts().get("read.parts", 0) == parts


def test_f22_a_client_that_reads_nothing_costs_little_and_is_cut_off(probe):
    """Over HTTP: what is made for it waits where it is made, until the client is gone."""
    before = probe.memory
    clients = [probe.send(flood(1600), receive_buffer=4096) for _ in range(20)]  # 100 MB each
    probe.until(lambda: probe.counts()["flood.running"] == 20)
    blocks = probe.until(lambda: is_still(lambda: probe.counts()["flood.blocks"]))
    assert (probe.memory - before) / 20 < MEGABYTE
    assert blocks < 20 * 1600 / 4
    probe.until(lambda: probe.counts()["flood.running"] == 0)
    for client in clients:
        client.close()
    assert len(everything(probe.send(flood(200)))) > 200 * 65_536


def flood(blocks):
    head = b"GET /flood?blocks=%d HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    return head % blocks


def test_f22_a_socket_that_reads_nothing_costs_little_and_is_cut_off(probe):
    before = probe.memory
    clients = [handshake(probe, "/flooding_socket") for _ in range(20)]
    probe.until(lambda: probe.counts()["flooding_socket.running"] == 20)
    probe.until(lambda: is_still(lambda: probe.counts()["flooding_socket.blocks"]))
    assert (probe.memory - before) / 20 < MEGABYTE
    probe.until(lambda: probe.counts()["flooding_socket.running"] == 0)
    for client in clients:
        client.close()


def handshake(probe, path):
    """A socket that is opened and then never read."""
    return probe.send(
        b"GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        % path.encode(),
        receive_buffer=4096,
    )


def is_still(measure):
    """What is measured, when it does not change for a while."""
    first = measure()
    time.sleep(0.5)
    return first if measure() == first else None


def test_frames_that_nobody_takes_are_not_read(probe):
    before = probe.memory
    with probe.socket("/deaf_socket") as client:
        client.socket.settimeout(1)
        with contextlib.suppress(TimeoutError, ConnectionClosed):
            for _ in range(400):
                client.send("x" * 200_000)  # 80 MB
        assert probe.memory - before < 12 * MEGABYTE


def test_a_frame_that_is_too_large_closes_its_socket(probe):
    with probe.socket("/echoing_socket") as client:
        client.send("x" * 200_000)
        assert client.recv(timeout=30) == "200000"
        client.send("x" * 300_000)
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=30)
    assert closed.value.rcvd.code == 1009


@pytest.mark.parametrize("control", [b"\x0b", b"\x0c", b"\x1c", b"\x1d", b"\x1e", b"\x85", b"\x01"])
@pytest.mark.parametrize("path", ["/count", "/echoing_socket"])
def test_a_header_with_control_characters_is_a_400(probe, control, path):
    """Else the second parser, of sockets, would read two headers where the first read one."""
    upgrade = b"" if path == "/count" else b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
    answer = everything(
        probe.send(
            b"GET %s HTTP/1.1\r\nHost: localhost\r\n%sX-A: 1%sOrigin: https://app.example\r\n\r\n"
            % (path.encode(), upgrade, control)
        )
    )
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"nosniff" in answer


def test_a_response_that_breaks_off_ends_and_abandoned_requests_are_ended_after_it(probe):
    """Daphne's check every second, which ends them, must survive the first."""
    with contextlib.suppress(http.client.IncompleteRead):
        assert probe.get("/breaks") == b"half of it"
    for _ in range(50):
        with probe.send(b"GET /hang HTTP/1.1\r\nHost: localhost\r\n\r\n") as client:
            assert client.recv(10)
    probe.until(lambda: probe.counts()["hang.running"] == 0)
    assert json.loads(probe.get("/count"))["breaks.running"] == 0
