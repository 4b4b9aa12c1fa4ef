"""A connection to Redis on which an event loop sends one command behind the other, without waiting
for answers in between, and one on which it listens.

redis-py makes the connection (addresses, passwords, TLS) and hiredis reads and writes the protocol.
What lies between the two in redis-py (a pool, a lock, retries, timeouts and three coroutines a
command) was about a quarter of what a question cost.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from hashlib import sha1
from typing import Any

import hiredis
import redis
import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

Value = str | bytes | int | float
Command = Sequence[Value]

PATIENCE_SECONDS = 2.0
_NOTHING = object()  # hiredis: the rest of this answer has not come


class Script:
    """A script that Redis keeps by the hash of its text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = sha1(text.encode()).hexdigest()  # noqa: S324 - Redis' name of it


class Line:
    """Of the running loop; opened by the first command, and again by the next after it was lost.

    An answer, or a connection, that takes longer than `patience` seconds loses it. All methods
    raise `redis.RedisError`, and nobody knows then what became of what was asked.
    """

    def __init__(
        self, url: str = "", *, patience: float = PATIENCE_SECONDS, decodes: bool = False
    ) -> None:
        self._url = url or settings.REDIS_URL
        self._patience = patience
        self._decodes = decodes
        self._wire: _Asking | None = None
        self._opening: asyncio.Task[_Asking] | None = None

    async def ask(self, *command: Value) -> Any:
        """The answer: bytes, or text where the line decodes, a number, a list, a mapping, None."""
        return (await self.ask_all([command]))[0]

    async def ask_all(self, commands: Sequence[Command]) -> list[Any]:
        """The answers in their order; raises the first error when all were answered."""
        if not commands:
            return []
        wire = self._wire
        if wire is None or wire.is_lost:
            wire = await self._open()
        answers = await wire.ask(b"".join(map(_packed, commands)), len(commands))
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers

    async def run(self, script: Script, keys: Sequence[Value], args: Sequence[Value]) -> Any:
        """What the script answers."""
        try:
            return await self.ask("EVALSHA", script.sha, len(keys), *keys, *args)
        except redis.exceptions.NoScriptError:
            return await self.ask("EVAL", script.text, len(keys), *keys, *args)

    def close(self) -> None:
        """What is unanswered fails."""
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
        if self._wire is not None:
            self._wire.lose(redis.ConnectionError("the line was closed"))

    async def _open(self) -> "_Asking":
        """Whoever asks meanwhile waits for the same connection."""
        if self._opening is None:
            self._opening = asyncio.create_task(self._connect(), name="redis")
            self._opening.add_done_callback(self._opened)
        opening = self._opening
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if opening.cancelled() and not (task and task.cancelling()):
                raise redis.ConnectionError("the line was closed") from None
            raise

    async def _connect(self) -> "_Asking":
        wire = _Asking(self._patience, decodes=self._decodes)
        await wire.open(self._url, self._patience)
        return wire

    def _opened(self, opening: "asyncio.Task[_Asking]") -> None:
        is_closed = self._opening is not opening  # redis-py may go on where it was cancelled
        if not is_closed:
            self._opening = None
        if opening.cancelled() or opening.exception() is not None:
            return
        if is_closed:
            opening.result().lose(redis.ConnectionError("the line was closed"))
        else:
            self._wire = opening.result()


async def listen(*channels: str, url: str = "") -> AsyncIterator[tuple[str, bytes]]:
    """Messages of the channels, first `("", b"")` once all of them can be heard.

    Raises `redis.RedisError` when the connection is lost; messages sent meanwhile are gone.
    """
    wire = _Listening()
    await wire.open(url or settings.REDIS_URL, PATIENCE_SECONDS)
    try:
        wire.write(_packed(("SUBSCRIBE", *channels)))
        waiting = len(channels)
        while True:
            for kind, channel, message in await wire.news():
                if kind == b"message":
                    yield channel.decode(), message
                elif kind == b"subscribe":
                    waiting -= 1
                    if waiting == 0:
                        yield "", b""
    finally:
        wire.lose(redis.ConnectionError("nobody listens any more"))


class _Wire(asyncio.Protocol):
    """One connection, from when it is open until it is lost."""

    def __init__(self, *, decodes: bool = False) -> None:
        self.is_lost = False
        self._loop = asyncio.get_running_loop()
        self._stream: asyncio.StreamWriter | None = None
        self._reader = hiredis.Reader(
            replyError=_error,
            encoding="utf-8" if decodes else None,
            errors="replace",
            notEnoughData=_NOTHING,
        )

    async def open(self, url: str, patience: float) -> None:
        pool = redis.asyncio.ConnectionPool.from_url(
            url,
            socket_timeout=patience,
            socket_connect_timeout=patience,
            retry=Retry(NoBackoff(), 0),
        )
        connection: Any = pool.make_connection()  # type: ignore[no-untyped-call]
        try:
            async with asyncio.timeout(patience):
                await connection.connect()
        except TimeoutError as error:
            raise redis.TimeoutError("Redis does not answer") from error
        except OSError as error:
            raise redis.ConnectionError(str(error)) from error
        stream: asyncio.StreamWriter = connection._writer
        connection._writer = connection._reader = None
        stream.transport.set_protocol(self)
        self._stream = stream

    def write(self, data: bytes) -> None:
        if self._stream is None or self._stream.transport.is_closing():
            raise redis.ConnectionError("the connection to Redis is lost")
        self._stream.transport.write(data)

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            while (answer := self._reader.gets()) is not _NOTHING:
                self.take(answer)
        except hiredis.ProtocolError as error:
            self.lose(redis.ConnectionError(f"not understood: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        self.lose(redis.ConnectionError(str(exc or "Redis has closed the connection")))

    def lose(self, error: redis.RedisError) -> None:
        """Whoever waits gets this error. Again: nothing happens."""
        if self.is_lost:
            return
        self.is_lost = True
        if self._stream is not None:
            self._stream.transport.abort()
        self.fail(error)

    def take(self, answer: Any) -> None:
        raise NotImplementedError

    def fail(self, error: redis.RedisError) -> None:
        raise NotImplementedError


class _Asking(_Wire):
    def __init__(self, patience: float, *, decodes: bool) -> None:
        super().__init__(decodes=decodes)
        self._patience = patience
        self._asked: deque[tuple[asyncio.Future[list[Any]], int, float]] = deque()
        self._answers: list[Any] = []  # to the first of them
        self._watch: asyncio.TimerHandle | None = None

    async def ask(self, data: bytes, count: int) -> list[Any]:
        self.write(data)
        now = self._loop.time()
        future: asyncio.Future[list[Any]] = self._loop.create_future()
        self._asked.append((future, count, now))
        if self._watch is None:
            self._watch = self._loop.call_at(now + self._patience, self._look)
        return await future

    def take(self, answer: Any) -> None:
        if isinstance(answer, hiredis.PushNotification):
            return
        self._answers.append(answer)
        future, count, _at = self._asked[0]
        if len(self._answers) == count:
            self._asked.popleft()
            answers, self._answers = self._answers, []
            if not future.done():
                future.set_result(answers)

    def fail(self, error: redis.RedisError) -> None:
        if self._watch is not None:
            self._watch.cancel()
        for future, _count, _at in self._asked:
            if not future.done():
                future.set_exception(error)
        self._asked.clear()

    def _look(self) -> None:
        """One look in a while instead of a timer for each: is the oldest waiting for too long?"""
        self._watch = None
        if self._asked:
            due = self._asked[0][2] + self._patience
            if due <= self._loop.time():
                self.lose(redis.TimeoutError("Redis does not answer"))
            else:
                self._watch = self._loop.call_at(due, self._look)


class _Listening(_Wire):
    def __init__(self) -> None:
        super().__init__()
        self._news: list[Any] = []
        self._error: redis.RedisError | None = None
        self._has_news = asyncio.Event()

    async def news(self) -> list[Any]:
        """What has come since. Raises `redis.RedisError` after the last of it."""
        await self._has_news.wait()
        news, self._news = self._news, []
        if not news and self._error is not None:
            raise self._error
        if self._error is None:
            self._has_news.clear()
        return news

    def take(self, answer: Any) -> None:
        if isinstance(answer, redis.RedisError):
            self.lose(answer)
        elif isinstance(answer, list) and len(answer) == 3:
            self._news.append(answer)
            self._has_news.set()

    def fail(self, error: redis.RedisError) -> None:
        self._error = error
        self._has_news.set()


def _packed(command: Command) -> bytes:
    pack: Any = hiredis.pack_command  # its stub allows a single value
    packed: bytes = pack(tuple(command))
    return packed


def _error(text: str) -> redis.ResponseError:
    kind = text.partition(" ")[0]
    named = redis.exceptions.NoScriptError if kind == "NOSCRIPT" else redis.ResponseError
    return named(text)
