"""What the tests of running turns stand on: a scripted agent, a runner, sockets of people."""

import asyncio
from contextlib import asynccontextmanager

from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator
from django.conf import settings

from agents.models import Agent
from agents.types import Finished, RetrievalCompleted, TextDelta, UsageRecorded
from chat.turns.runner import Runner
from config.asgi import application
from events.hub import current_hub
from gateway.models import Deployment, Endpoint, Model
from observability.db import run_sync
from tests.support.processes import sign_in

WORDS = [f"word{n} " for n in range(40)]
TEXT = "".join(WORDS)


class ScriptedAgent:
    """An agent whose answers the test holds back, lets go, or makes fail."""

    def __init__(
        self, words=WORDS, pause=0.0, hold_after=None, error=None, citations=(), model="scripted"
    ):
        self.words = words
        self.pause = pause
        self.hold_after = hold_after
        self.error = error
        self.citations = citations
        self.model = model
        self.go_on = asyncio.Event()
        self.held = asyncio.Event()
        self.closed = asyncio.Event()
        self.tasks = []
        self.arrivals = asyncio.Queue()

    async def __call__(self, task):
        self.tasks.append(task)
        self.arrivals.put_nowait(task)
        try:
            yield RetrievalCompleted(task.question, (), 1.5)
            for n, word in enumerate(self.words):
                if n == self.hold_after:
                    self.held.set()
                    await self.go_on.wait()
                yield TextDelta(word)
                await asyncio.sleep(self.pause)
            for citation in self.citations:
                yield citation
            if self.error:
                raise self.error
            yield UsageRecorded(self.model, "here", 10, 20, None, None, 5, 50)
            yield Finished("".join(self.words), self.model, is_offline=False, notice="")
        finally:
            self.closed.set()


@asynccontextmanager
async def running(agent, **options):
    runner = Runner(agent, **options)
    task = asyncio.create_task(runner.run())
    try:
        yield runner
    finally:
        runner.stop()
        runner.stop()
        await task


def play(scenario):
    """Run an async scenario from a sync test: database work happens outside its transaction."""

    async def run():
        try:
            async with asyncio.timeout(60):
                await scenario()
        finally:
            await current_hub().close()

    async_to_sync(run)()


class Socket:
    """A browser tab: keeps the frames it got, joins text as the page does."""

    def __init__(self, session, *, origin=b"http://localhost", acks=True):
        headers = [
            (b"host", b"localhost"),
            (b"cookie", f"{settings.SESSION_COOKIE_NAME}={session}".encode()),
        ]
        if origin is not None:
            headers.append((b"origin", origin))
        self.communicator = WebsocketCommunicator(application, "/ws/", headers)
        self.acks = acks
        self.frames = []

    async def open(self):
        self.is_open, self.code = await self.communicator.connect(timeout=10)
        return self

    async def send(self, **frame):
        await self.communicator.send_json_to(frame)

    async def receive(self):
        frame = await self.communicator.receive_json_from(timeout=10)
        self.frames.append(frame)
        if self.acks and frame["type"] == "event":
            await self.send(type="ack", stream=frame["stream"], seq=frame["seq"])
        return frame

    async def until(self, *kinds):
        """Receive until an event of these kinds, or a frame of these types, came; that frame."""
        while True:
            frame = await self.receive()
            if frame["type"] in kinds or frame.get("kind") in kinds:
                return frame

    async def ask(self, text, **more):
        await self.send(type="turn.start", text=text, **more)
        return await self.until("accepted", "refused")

    async def close(self):
        await self.communicator.disconnect(timeout=10)

    def events(self, stream):
        return [f for f in self.frames if f["type"] == "event" and f["stream"] == stream]

    def text(self, stream):
        events = [f for f in self.events(stream) if f["kind"] == "text_delta"]
        return "".join(f["data"]["text"] for f in events)


@asynccontextmanager
async def socket(user, **options):
    session = await run_sync(sign_in, user)
    opened = await Socket(session, **options).open()
    assert opened.is_open
    try:
        yield opened
    finally:
        await opened.close()


def connected(owner, model_server, script):
    """The built-in agent asks this scripted server, and searches nothing."""
    endpoint = Endpoint.objects.create(name="scripted", base_url=model_server.url)
    found = Model.objects.create(name="scripted", is_default=True)
    Deployment.objects.create(model=found, endpoint=endpoint, upstream_name="scripted")
    Agent.objects.create(owner=owner, name="Plain", slug="plain", is_builtin=True, max_passages=0)
    model_server.default = script
    return model_server
