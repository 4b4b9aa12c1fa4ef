"""A person with a browser tab, as the page behaves: asks, follows, comes back, starts over."""

import asyncio
import json
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from django.conf import settings
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, WebSocketException

LAST = {"message_completed", "turn_stopped", "turn_interrupted", "turn_failed"}
LONGEST_HANDSHAKE = 10


class Reader:
    """Asks one question and reads the answer to its end, over as many sockets as that takes.

    `ports()` are the web processes there are. With `hops` the reader leaves after so many events
    and comes back: 1 is a reconnection at every event. `stops_after` asks twice to stop the
    answer after so many characters.
    """

    def __init__(self, question, session, ports, *, key=None, hops=0, stops_after=0):
        self.question = question
        self.key = key or question
        self.session = session
        self.ports = ports
        self.hops = hops
        self.stops_after = stops_after
        self.turn = None
        self.text = ""
        self.seq = 0
        self.last = None  # the kind of the event that ended the turn
        self.sockets = 0
        self.closes = []  # the codes with which sockets ended
        self.reloads = 0
        self.refusals = []
        self.mistakes = []  # what no reader may ever see

    async def read(self):
        while self.last is None:
            try:
                await self._sit()
            except (OSError, TimeoutError, InvalidHandshake, WebSocketException):
                await asyncio.sleep(random.uniform(0.05, 0.4))
        return self

    async def _sit(self):
        """One socket, until the end of the turn or of the socket."""
        host = f"127.0.0.1:{random.choice(self.ports() or [9])}"
        cookie = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={self.session}"}
        async with connect(
            f"ws://{host}/ws/", origin=f"http://{host}", additional_headers=cookie,
            open_timeout=LONGEST_HANDSHAKE, close_timeout=0.5,
        ) as self._socket:  # fmt: skip
            self.sockets += 1
            self._has_stopped = False
            if self.turn is None:
                await self._send(type="turn.start", id=self.key, text=self.question)
            else:
                await self._subscribe()
            try:
                await self._listen()
            finally:
                self.closes.append(self._socket.close_code)

    async def _listen(self):
        seen = 0
        async for raw in self._socket:
            frame = json.loads(raw)
            seen += frame["type"] == "event"
            await self._take(frame)
            if self.last or (self.hops and seen >= self.hops):
                return

    async def _take(self, frame):
        match frame["type"]:
            case "accepted":
                if self.turn not in {None, frame["turn_id"]}:
                    self.mistakes.append("the same key made two turns")
                self.turn = frame["turn_id"]
            case "refused":
                self.refusals.append(frame["problem"])
                await asyncio.sleep(0.2)
                raise TimeoutError  # come back as after a lost connection
            case "reload":
                self.reloads += 1
                self.text, self.seq = "", 0
                await self._subscribe()
            case "event":
                await self._hear(frame)

    async def _hear(self, event):
        first, seq = event.get("from", event["seq"]), event["seq"]
        if event["stream"] != self.turn:
            self.mistakes.append("an event of somebody else's turn")
        if first <= self.seq:
            self.mistakes.append(f"{event['kind']} {first}…{seq} after {self.seq}")
        self.seq = seq
        if event["kind"] == "text_delta":
            self.text += event["data"]["text"]
        if event["kind"] in LAST:
            self.last = event["kind"]
        await self._send(type="ack", stream=self.turn, seq=seq)
        if self.stops_after and not self._has_stopped and len(self.text) >= self.stops_after:
            self._has_stopped = True  # on this socket: a server that was away has not heard it
            for _ in range(2):
                await self._send(type="turn.stop", turn_id=self.turn)

    async def _subscribe(self):
        await self._send(type="subscribe", stream=self.turn, after=self.seq)

    async def _send(self, **frame):
        await self._socket.send(json.dumps(frame))


@contextmanager
def reading(readers, seconds=120):
    """Everybody reads, in a thread of their own, while the block breaks things; waits for the end.

    The block runs in the main thread: the servers it starts end with the thread that started them.
    """

    async def read_all():
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for reader in readers:
                group.create_task(reader.read())

    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(asyncio.run, read_all())
        yield
        try:
            done.result()
        except TimeoutError:
            late = [(r.question, r.turn, r.seq, len(r.text)) for r in readers if r.last is None]
            raise AssertionError(f"did not read to the end: {late[:10]}") from None
