"""A program on this machine that speaks MCP by its pipes, for as long as one connection lasts.

The SDK has the same, without a limit on what a program says and on what it may do.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
from mcp.client._transport import TransportStreams
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from agents.mcp_client import launching
from agents.mcp_client.local import Command
from security.outbound.errors import ResponseTooLarge, Unreachable

GRACE = 2.0  # seconds: to end by itself, then by SIGTERM, before it is killed
LOOK_SECONDS = 0.02
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
LAUNCHER = str(Path(launching.__file__).resolve())


@asynccontextmanager
async def piped(
    command: Command, seconds: float, most_bytes: int
) -> AsyncIterator[TransportStreams]:
    """Its streams, as the SDK's client wants them; behind it the program and its children are gone.

    Raises Unreachable where it cannot be started, ResponseTooLarge where it talks without end.
    """
    process = await _started(command, seconds, most_bytes)
    to_client, from_server = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    to_server, from_client = anyio.create_memory_object_stream[SessionMessage](0)

    async def read() -> None:
        assert process.stdout is not None
        left = most_bytes
        async with to_client:
            while line := await _line(process.stdout):
                left -= len(line)
                if left < 0:
                    raise ResponseTooLarge(f"{most_bytes:,}")
                await to_client.send(_message(line))

    async def write() -> None:
        assert process.stdin is not None
        async with from_client:
            async for said in from_client:
                text = said.message.model_dump_json(by_alias=True, exclude_unset=True)
                process.stdin.write(text.encode() + b"\n")
                await process.stdin.drain()

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(read)
            group.start_soon(write)
            try:
                yield from_server, to_server
            finally:
                group.cancel_scope.cancel()
    finally:
        for stream in (to_client, from_server, to_server, from_client):
            stream.close()
        await _whatever_happens(_ended(process))


async def _started(command: Command, seconds: float, most_bytes: int) -> asyncio.subprocess.Process:
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    launcher = [sys.executable, "-I", LAUNCHER, str(os.getpid()), str(round(seconds) + 1)]
    try:
        return await asyncio.create_subprocess_exec(
            *launcher, command.command, *command.args,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=environment | command.env,
            cwd=command.cwd,
            start_new_session=True,
            limit=most_bytes,
        )  # fmt: skip
    except OSError as error:
        raise Unreachable(str(error.strerror)) from error


async def _line(stdout: asyncio.StreamReader) -> bytes:
    try:
        return await stdout.readline()
    except ValueError:
        raise ResponseTooLarge("A line without an end.") from None


def _message(line: bytes) -> SessionMessage | Exception:
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError as error:
        return error


async def _whatever_happens(work: Coroutine[Any, Any, None]) -> None:
    """Done before anybody goes on, also for whoever was cancelled meanwhile."""
    task = asyncio.create_task(work)
    is_cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            is_cancelled = True
    if is_cancelled:
        raise asyncio.CancelledError


async def _ended(process: asyncio.subprocess.Process) -> None:
    """As the protocol has it: its input ends, then it is asked, then it is killed, with all that it
    started."""
    assert process.stdin is not None
    process.stdin.close()
    for sign in (signal.SIGTERM, signal.SIGKILL):
        await _gone(process)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, sign)
    await _gone(process)
    # What left its group may still hold a pipe, and would keep the transport open.
    process._transport.close()  # type: ignore[attr-defined]


async def _gone(process: asyncio.subprocess.Process) -> None:
    """Waits for a while. `wait` would also wait for what holds its pipes."""
    until = asyncio.get_running_loop().time() + GRACE
    while process.returncode is None and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110
        await asyncio.sleep(LOOK_SECONDS)
