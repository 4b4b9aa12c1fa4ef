"""The web process from outside: its limits, and how it ends."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from embedded.home import REPOSITORY

pytestmark = [pytest.mark.processes, pytest.mark.timeout(90)]
HEAD = b"POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module")
def web():
    """`manage.py serve` with bodies of up to 1 MB, and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = probe.getsockname()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--port", str(address[1])],
        cwd=REPOSITORY, stdout=subprocess.DEVNULL,
        env=os.environ | {"PARLEY_MAX_UPLOAD_MB": "1", "PARLEY_MAX_IMPORT_MB": "1"},
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while True:
        with contextlib.suppress(OSError), socket.create_connection(address, timeout=5):
            break
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield process, address
    process.kill()
    process.wait()


def ask(address, request: bytes) -> bytes:
    """All that the server answers until it closes the connection."""
    answer = b""
    with socket.create_connection(address, timeout=20) as client:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(request)
        with contextlib.suppress(ConnectionResetError):
            while part := client.recv(65536):
                answer += part
    return answer


def test_it_is_alive(web):
    _process, address = web
    answer = ask(address, b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 200")
    assert b"Server: parley" in answer


def test_a_body_announced_too_large_is_refused_before_it_is_sent(web):
    _process, address = web
    answer = ask(address, HEAD + b"Content-Length: 300000000\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 413")
    assert b"application/problem+json" in answer


def test_a_body_of_unknown_length_is_cut_off(web):
    _process, address = web
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    answer = ask(address, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 48 + b"0\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 413")


def test_a_body_within_the_limit_reaches_the_application(web):
    _process, address = web
    body = b"x" * 500_000
    head = HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)

    assert ask(address, head + body).startswith((b"HTTP/1.1 401", b"HTTP/1.1 403"))


@pytest.mark.parametrize(
    "form", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; b=x"]
)
def test_a_form_that_cannot_be_read_is_answered_in_words(web, form):
    _process, address = web
    head = HEAD + b"Connection: close\r\nContent-Length: 3\r\nContent-Type: %s\r\n\r\nabc"
    answer = ask(address, head % form.encode())

    assert answer.startswith(b"HTTP/1.1 4")
    assert b"application/problem+json" in answer
    assert b"urn:parley:problem:" in answer


def test_it_ends_soon_and_well_when_told_to(web):
    process, _address = web
    process.send_signal(signal.SIGTERM)

    assert process.wait(15) == 0
