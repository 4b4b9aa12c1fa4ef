"""How far a call is reaches whoever watches, and a call that nobody wants any more is cancelled."""

import asyncio
import json
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from agents.mcp_client import services, speaking
from agents.mcp_client.local import Command
from agents.mcp_client.models import McpServer
from agents.mcp_client.types import Address, Heard, Wanted
from tests.mcp.client.fake import FakeServer, event, stream, text

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]
PROGRAM = str(Path(__file__).with_name("local_server.py"))
Told = list[tuple[str, float | None, float | None]]


def note(method: str, **params: Any) -> bytes:
    return event({"jsonrpc": "2.0", "method": f"notifications/{method}", "params": params})


def wanted(pin: str, told: Told) -> Wanted:
    return Wanted("look", pin, {}, 20, lambda *said: told.append(said))


def test_a_server_says_how_far_it_is_and_what_it_logs(
    approved: McpServer, fake: FakeServer
) -> None:
    def slowly(handler: Any, asked: Any) -> None:
        token = asked["params"]["_meta"]["progressToken"]
        answer = {"jsonrpc": "2.0", "id": asked["id"], "result": text("Done.")}
        stream(handler, iter([
            note("progress", progressToken=token, progress=1, total=2, message="Half."),
            note("message", level="info", data="indexing"),
            note("message", level="debug", data="nobody cares"),
            note("message", level="error", data={"not": "words"}),
            event(answer),
        ]))  # fmt: skip

    fake.instead["tools/call"] = slowly
    told: Told = []
    row = approved.tools.get()
    said = asyncio.run(speaking.call(services.address_of(approved), wanted(row.approved_pin, told)))
    assert said.text == "Done."
    assert told == [("Half.", 1, 2), ("indexing", 1, 2)]


def test_whoever_stops_waiting_cancels_the_call(approved: McpServer, fake: FakeServer) -> None:
    begun, is_over = threading.Event(), threading.Event()

    def waiting(handler: Any, _asked: Any) -> None:
        begun.set()
        stream(handler, iter(lambda: (is_over.wait(0.05) and b"") or b": still here\n\n", b""))

    fake.instead["tools/call"] = waiting
    pin = approved.tools.get().approved_pin

    async def scenario() -> None:
        call = asyncio.create_task(speaking.call(services.address_of(approved), wanted(pin, [])))
        await asyncio.to_thread(begun.wait, 60)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    try:
        asyncio.run(scenario())
    finally:
        is_over.set()
    (asked,) = [one for one in fake.heard if one["method"] == "tools/call"]
    cancelled = [one for one in fake.heard if one["method"] == "notifications/cancelled"]
    assert [one["params"]["requestId"] for one in cancelled] == [asked["id"]]


@pytest.fixture
def here(tmp_path: Path) -> Any:
    """Calls the tool of a program on this machine; what it heard is in the file."""
    heard = tmp_path / "heard"

    def address(mode: str) -> Address:
        env = {"MODE": mode, "HEARD": str(heard)}
        return Address(
            "here", "", command=Command(command=sys.executable, args=(PROGRAM,), env=env)
        )

    return address, heard


def pin_here(address: Address) -> str:
    from agents.mcp_client.pinning import pin_of  # noqa: PLC0415

    return pin_of(asyncio.run(speaking.list_definitions(address))["look"])


def test_a_program_says_how_far_it_is(here: Any) -> None:
    address, _heard = here
    told: Told = []
    said: Heard = asyncio.run(speaking.call(address("steps"), wanted(pin_here(address("")), told)))
    assert "environment" in said.text
    assert told == [("step", 1, 3), ("step", 2, 3), ("step", 3, 3)]


def test_a_program_is_told_that_nobody_waits(here: Any) -> None:
    address, heard = here
    pin = pin_here(address(""))
    begun = asyncio.Event()

    async def scenario() -> None:
        asked = Wanted("look", pin, {}, 60, lambda *_said: begun.set())
        call = asyncio.create_task(speaking.call(address("stall"), asked))
        await asyncio.wait_for(begun.wait(), 60)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(scenario())
    said = [json.loads(line) for line in heard.read_text().splitlines()]
    (call,) = [one for one in said if one["method"] == "tools/call"]
    assert said[-1]["method"] == "notifications/cancelled"
    assert said[-1]["params"]["requestId"] == call["id"]
