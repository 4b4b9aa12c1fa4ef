"""The line to Redis, against a real one; between them a wire that can be cut or fall silent."""

import asyncio
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import pytest
import redis
from django.conf import settings

from observability.redis_line import Line, Script, listen
from security.ids import new_id

DOUBLE = Script("return tonumber(ARGV[1]) * 2")


def play(scenario):
    async def run():
        async with asyncio.timeout(20):
            await scenario()

    asyncio.run(run())


class Wire:
    """Passes everything on to the real Redis, until it is silent or cut."""

    def __init__(self):
        self.is_silent = False
        self.opened = 0
        self.url = ""
        self._writers = []

    async def take(self, reader, writer):
        self.opened += 1
        parts = urlsplit(settings.REDIS_URL)
        if parts.scheme == "unix":
            far_reader, far_writer = await asyncio.open_unix_connection(parts.path)
        else:
            far_reader, far_writer = await asyncio.open_connection(parts.hostname, parts.port)
        self._writers += [writer, far_writer]
        with suppress(OSError):
            await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))

    async def _pass(self, reader, writer):
        while data := await reader.read(65536):
            if not self.is_silent:
                writer.write(data)
        writer.close()

    def cut(self):
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()


@asynccontextmanager
async def wire():
    between = Wire()
    server = await asyncio.start_server(between.take, "127.0.0.1", 0)
    between.url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    try:
        yield between
    finally:
        server.close()
        between.cut()


def test_answers_come_to_who_asked_in_any_number_at_once():
    async def scenario():
        line, name = Line(), f"test:{new_id()}"
        assert await line.ask("SET", name, "é", "EX", 60) == b"OK"
        told = await asyncio.gather(*(line.ask("ECHO", f"{n}") for n in range(500)))
        assert told == [f"{n}".encode() for n in range(500)]
        assert await line.ask_all([("GET", name), ("STRLEN", name), ("GET", "none")]) == [
            "é".encode(), 2, None,
        ]  # fmt: skip
        assert await line.run(DOUBLE, (), (21,)) == 42
        assert await line.ask_all([]) == []
        assert await line.ask("ECHO", "still in step") == b"still in step"
        line.close()

    play(scenario)


def test_a_line_that_decodes_answers_in_text():
    async def scenario():
        line, name = Line(decodes=True), f"test:{new_id()}"
        await line.ask_all([("HSET", name, "a", "é", "b", 1.5), ("EXPIRE", name, 60)])
        assert await line.ask("HGETALL", name) == {"a": "é", "b": "1.5"}
        line.close()

    play(scenario)


def test_a_script_that_redis_does_not_know_is_sent_whole():
    async def scenario():
        line = Line()
        own = Script(f"return '{new_id()}'")
        assert await line.run(own, (), ()) == await line.run(own, (), ())
        line.close()

    play(scenario)


def test_an_error_is_that_of_its_asker():
    async def scenario():
        line = Line()
        wrong, well = await asyncio.gather(
            line.ask_all([("ECHO", "a"), ("INCR",)]), line.ask("ECHO", "b"), return_exceptions=True
        )
        assert isinstance(wrong, redis.ResponseError)
        assert well == b"b"
        line.close()

    play(scenario)


def test_who_leaves_takes_no_answer_of_another_along():
    async def scenario():
        line = Line()
        await line.ask("PING")
        leaving = asyncio.create_task(line.ask("ECHO", "gone"))
        await asyncio.sleep(0)
        leaving.cancel()
        assert await line.ask("ECHO", "there") == b"there"
        line.close()

    play(scenario)


def test_a_line_that_was_cut_is_opened_again_by_the_next_command():
    async def scenario():
        async with wire() as between:
            line = Line(between.url)
            assert await line.ask("ECHO", "a") == b"a"
            between.is_silent = True
            lost = asyncio.create_task(line.ask("ECHO", "b"))
            await asyncio.sleep(0.05)
            between.cut()
            with pytest.raises(redis.ConnectionError):
                await lost
            between.is_silent = False
            assert await line.ask("ECHO", "c") == b"c"
            assert between.opened == 2
            line.close()

    play(scenario)


def test_a_redis_that_hangs_is_given_up_and_asked_anew():
    async def scenario():
        async with wire() as between:
            line = Line(between.url, patience=0.2)
            await line.ask("PING")
            between.is_silent = True
            told = await asyncio.gather(
                *(line.ask("ECHO", "x") for _ in range(3)), return_exceptions=True
            )
            assert {type(one) for one in told} == {redis.TimeoutError}
            between.is_silent = False
            assert await line.ask("ECHO", "y") == b"y"
            line.close()

    play(scenario)


def test_a_redis_that_hangs_while_it_is_connected_to_is_given_up_as_soon():
    async def scenario():
        async with wire() as between:
            between.is_silent = True
            patient, hasty = (
                asyncio.create_task(Line(between.url, patience=seconds).ask("PING"))
                for seconds in (30, 0.1)
            )
            await asyncio.wait([patient, hasty], return_when=asyncio.FIRST_COMPLETED)
            assert isinstance(hasty.exception(), redis.TimeoutError)
            assert not patient.done()
            patient.cancel()

    play(scenario)


def test_where_nobody_is_everybody_is_told_so(tmp_path):
    async def scenario():
        line = Line(f"unix://{tmp_path}/nothing.sock")
        told = await asyncio.gather(line.ask("PING"), line.ask("PING"), return_exceptions=True)
        assert {type(one) for one in told} == {redis.ConnectionError}
        with pytest.raises(redis.ConnectionError):
            await anext(listen("any", url=f"unix://{tmp_path}/nothing.sock"))

    play(scenario)


def test_a_closed_line_fails_what_is_unanswered_and_opens_again_when_asked():
    async def scenario():
        line = Line()
        await line.ask("PING")
        waiting = asyncio.create_task(line.ask("BLPOP", f"test:{new_id()}", 5))
        await asyncio.sleep(0.05)
        line.close()
        with pytest.raises(redis.ConnectionError):
            await waiting
        assert await line.ask("ECHO", "again") == b"again"
        line.close()

    play(scenario)


@pytest.mark.parametrize("turns", range(1, 40, 3))
def test_a_line_is_closed_while_it_is_being_opened(turns):
    """At whatever step: who waits hears that it was closed, or had the answer; nothing stays open.
    What makes the connection may go on after it was cancelled."""

    async def scenario():
        line = Line()
        waiting = asyncio.create_task(line.ask("PING"))
        for _ in range(turns):
            await asyncio.sleep(0)
        opening = line._opening
        line.close()
        answer = (await asyncio.gather(waiting, return_exceptions=True))[0]
        assert answer == b"PONG" or isinstance(answer, redis.ConnectionError)
        if opening is not None:
            await asyncio.wait([opening])
            await asyncio.sleep(0)
        assert line._wire is None or line._wire.is_lost

    play(scenario)


def test_messages_are_heard_in_their_order_until_the_connection_is_lost():
    async def scenario():
        async with wire() as between:
            line, channel = Line(), f"test:{new_id()}"
            heard = listen(channel, f"{channel}:b", url=between.url)
            assert await anext(heard) == ("", b"")
            for n in range(100):
                await line.ask("PUBLISH", channel, f"{n}")
            assert [await anext(heard) for _ in range(100)] == [
                (channel, f"{n}".encode()) for n in range(100)
            ]
            between.cut()
            with pytest.raises(redis.ConnectionError):
                await anext(heard)
            line.close()

    play(scenario)
