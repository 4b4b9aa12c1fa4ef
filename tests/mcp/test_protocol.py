"""What arrives at `/mcp` and should not: other sites, other methods, rubbish, and too much."""

import json
import signal

import pytest

from tests.mcp import raw
from tests.mcp.conftest import LEGACY, MODERN
from tests.support.processes import Processes

pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(300),
    pytest.mark.django_db(transaction=True),
]


def test_pages_of_other_sites_are_refused(served, web_port, key):
    """A name bound anew to this machine's address (DNS rebinding) comes with its own Origin."""
    headers, body = raw.modern("tools/list")
    own = f"http://127.0.0.1:{web_port}"
    expected = {
        own: 200, "null": 403, "https://evil.example": 403, f"{own}.evil.example": 403,
        "http://127.0.0.1": 403, f"https://127.0.0.1:{web_port}": 403,
    }  # fmt: skip
    for origin, status in expected.items():
        found, told, _ = raw.send(web_port, body, key=key, Origin=origin, **headers)
        assert (found, told["Access-Control-Allow-Origin"]) == (status, None), origin
    assert raw.send(web_port, body, key=key, Host="evil.example", **headers)[0] == 400


def test_only_posts_are_served(served, web_port, key):
    for method in ("GET", "DELETE", "PUT"):
        status, told, _ = raw.send(web_port, key=key, method=method)
        assert (status, told["Allow"]) == (405, "POST, OPTIONS")
    assert raw.send(web_port, method="OPTIONS")[0] == 204
    cookie = {"Cookie": "session=x"}
    headers, body = raw.modern("tools/list")
    assert raw.send(web_port, body, **cookie, **headers)[0] == 401


def test_too_much_is_refused_before_it_is_read_as_anything(served, web_port, key):
    headers, body = raw.modern("tools/call", name="search", arguments={"query": "x" * 2**20})
    status, _, content = raw.send(web_port, body, key=key, **headers)
    assert (status, "1 MB" in content.decode()) == (413, True)


@pytest.mark.parametrize("speak", [raw.legacy, raw.modern], ids=[LEGACY, MODERN])
def test_rubbish_is_never_answered_with_5xx(served, web_port, key, speak):
    headers, sound = speak("tools/call", name="search", arguments={"query": "x"})
    odd = [None, [], {}, "x", -1, 1e308, True, [[]], "\x00", "y" * 5000, {"a": {}}]
    bodies = [
        b"", b"{", b"[]", b"null", b"\xff", b"[" * 20_000, b'{"a":' * 20_000, b'"\\ud800"',
        json.dumps([sound, sound]).encode(),
        *(sound | {name: value} for name in sound for value in odd),
        *(sound | {"params": sound["params"] | {name: value}}
          for name in ("name", "arguments", "_meta") for value in odd),
        *(sound | {"params": sound["params"] | {"arguments": {name: value}}}
          for name in ("query", "collections", "limit") for value in odd),
        *(speak(method)[1] for method in ("resources/list", "prompts/get", "nothing", "x" * 3000)),
    ]  # fmt: skip
    wrong = []
    for body in bodies:
        status, _, content = raw.send(web_port, body, key=key, **headers)
        if status >= 500 or b"Traceback" in content or b"internal" in content.lower():
            wrong.append((status, str(body)[:200], content[:200]))
    assert wrong == []


def test_a_process_that_served_both_revisions_ends_when_it_is_told(visit, served, key):
    """A tool in a thread of the SDK's would have kept it alive: ours are all coroutines."""
    found = Processes(LOG_LEVEL="ERROR")
    try:
        process, port = found.serve()
        for mode in (LEGACY, MODERN):
            result = visit(key, lambda client: client.call_tool("list_collections"), mode, port)
            assert not result.is_error
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        found.end()
