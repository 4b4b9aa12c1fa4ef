"""An HTTP response always ends, and a stop waits for those that can end soon."""

import asyncio

import pytest

from embedded.seal import Sealed

HTTP = {"type": "http", "path": "/"}
STREAM = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"Content-Type", b"text/event-stream")],
}
START = {"type": "http.response.start", "status": 200, "headers": []}
LAST = {"type": "http.response.body", "body": b""}


async def nothing():
    return {"type": "http.disconnect"}


def run(application, scope=HTTP):
    """What the client is sent."""
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(Sealed(application)(scope, nothing, send))
    return sent


def test_a_response_that_breaks_off_is_ended():
    async def breaks_off(scope, receive, send):
        await send(START)
        raise RuntimeError("in the middle")

    assert run(breaks_off) == [START, LAST]


def test_an_error_before_the_response_is_left_to_the_server():
    async def fails(scope, receive, send):
        raise RuntimeError("before it began")

    with pytest.raises(RuntimeError):
        run(fails)


def test_a_complete_response_is_not_ended_twice():
    async def answers(scope, receive, send):
        await send(START)
        await send({"type": "http.response.body", "body": b"all", "more_body": False})

    assert len(run(answers)) == 2


def test_sockets_pass_through():
    async def accepts(scope, receive, send):
        await send({"type": "websocket.accept"})

    assert run(accepts, {"type": "websocket"}) == [{"type": "websocket.accept"}]


def test_finishing_waits_for_requests_and_ends_streams():
    async def scenario():
        released = asyncio.Event()
        sent = {"request": [], "stream": []}

        async def application(scope, receive, send):
            if scope["path"] == "/stream":
                await send(STREAM)
                await asyncio.Event().wait()
            await released.wait()
            await send(START)
            await send(LAST)

        sealed = Sealed(application)

        def begin(name):
            async def send(message):
                sent[name].append(message)

            return asyncio.create_task(sealed(HTTP | {"path": f"/{name}"}, nothing, send))

        tasks = [begin("request"), begin("stream")]
        await asyncio.sleep(0)
        finishing = asyncio.create_task(sealed.finish(seconds=5))
        await asyncio.sleep(0.05)
        assert not finishing.done()
        released.set()
        await finishing
        await asyncio.gather(*tasks, return_exceptions=True)
        return sent

    sent = asyncio.run(scenario())
    assert sent["request"] == [START, LAST]
    assert sent["stream"] == [STREAM, LAST]


def test_streams_that_cannot_be_resumed_are_waited_for():
    async def scenario():
        released, sent = asyncio.Event(), []

        async def application(scope, receive, send):
            await send(STREAM)
            await released.wait()
            await send(LAST)

        async def send(message):
            sent.append(message)

        sealed = Sealed(application)
        path = {"path": "/v1/chat/completions"}
        task = asyncio.create_task(sealed(HTTP | path, nothing, send))
        await asyncio.sleep(0)
        finishing = asyncio.create_task(sealed.finish(seconds=5))
        await asyncio.sleep(0.05)
        assert not finishing.done()
        released.set()
        await finishing
        await task
        assert sent == [STREAM, LAST]

    asyncio.run(scenario())


def test_finishing_does_not_wait_for_ever():
    async def scenario():
        async def hangs(scope, receive, send):
            await asyncio.Event().wait()

        sealed = Sealed(hangs)
        task = asyncio.create_task(sealed(HTTP, nothing, nothing))
        await asyncio.sleep(0)
        await asyncio.wait_for(sealed.finish(seconds=0.05), timeout=2)
        await asyncio.gather(task, return_exceptions=True)
        assert sealed.exchanges == set()

    asyncio.run(scenario())
