"""The runner: one asyncio process that works on hundreds of turns at once.

It looks for due turns when the doorbell rings and every second, holds them by leases that it
prolongs in one statement, and takes up turns whose runner died. Told to stop, it finishes what it
can, then closes the rest as interrupted or hands it back.
"""

import asyncio
import logging
import os
import socket
from functools import partial
from typing import Any

import psycopg
import redis
from django.db import InterfaceError, OperationalError

from agents.memory.run import run_with_memory
from chat.turns.titler import Titler
from chat.turns.turn_run import RunAgent, TurnRun
from chat.turns.work import claim_turns, claim_turns_at_once, find_unwanted
from events import doorbell, leases
from events.cancelling import cancel_all
from events.writer import EventWriter
from gateway.upstream.session import close_pool
from observability import heartbeats, remembered
from observability.lanes import Lane
from observability.redis_line import Line

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
CLAIM_AT_ONCE = 50
DRAIN_SECONDS = 20.0
FAREWELL_SECONDS = 5.0
CLAIM_SECONDS = 2.0


class Runner:
    """Runs turns until told to stop; `run_agent` answers them."""

    def __init__(
        self,
        run_agent: RunAgent = run_with_memory,
        *,
        lease: float = leases.LEASE_SECONDS,
        capacity: int = 500,
        drain: float = DRAIN_SECONDS,
    ) -> None:
        self._run_agent = run_agent
        self._lease = lease
        self._capacity = capacity
        self._drain = drain
        self._holder = f"{socket.gethostname()}:{os.getpid()}"
        self._lane = Lane("turns", 3)
        self._titler = Titler(self._holder)
        self._turns: dict[str, TurnRun] = {}
        self._rung = asyncio.Event()
        self._stop = asyncio.Event()
        self._is_hurried = asyncio.Event()
        self._line = Line()
        self._writer = EventWriter(lambda *args: doorbell.publish(self._line, *args))

    def stop(self) -> None:
        """Begin to drain; a second time, without waiting for turns to finish."""
        if self._stop.is_set():
            self._is_hurried.set()
        self._stop.set()
        self._rung.set()

    async def run(self) -> None:
        """Work until `stop`; returns when every turn is finished, closed or handed back.

        Raises what ended the writer: without one, turns would go on that nobody can ever read.
        """
        writing = asyncio.create_task(self._writer.run(), name="writer")
        listening = asyncio.create_task(self._keep_listening(), name="doorbell")
        renewing = asyncio.create_task(self._every(self._lease / 3, self._renew), name="leases")
        looking = asyncio.create_task(self._keep_claiming(), name="claims")
        beating = asyncio.create_task(
            self._every(heartbeats.BEAT_SECONDS, self._beat), name="heartbeat"
        )
        titling = asyncio.create_task(self._titler.run(), name="titles")
        stopping = asyncio.create_task(self._stop.wait(), name="stop")
        try:
            await asyncio.wait([stopping, writing], return_when=asyncio.FIRST_COMPLETED)
            if writing.done():
                writing.result()
            await asyncio.wait([looking], timeout=CLAIM_SECONDS)  # not to be left to its lease
            await self._end_turns()
        finally:
            turns = [turn.task for turn in self._turns.values()]
            await cancel_all(
                [stopping, looking, beating, renewing, listening, titling, *turns, writing]
            )
            await asyncio.to_thread(heartbeats.forget, "runner")
            self._line.close()
            await close_pool()

    async def _end_turns(self) -> None:
        log.info("runner stops; %s turns are running", len(self._turns))
        hurried = asyncio.create_task(self._is_hurried.wait())
        try:
            async with asyncio.timeout(self._drain):
                while self._turns and not hurried.done():
                    tasks = [turn.task for turn in self._turns.values()]
                    await asyncio.wait([*tasks, hurried], return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            log.info("runner closes %s turns that are not finished", len(self._turns))
        hurried.cancel()
        for turn in self._turns.values():
            turn.interrupt()
        if self._turns:
            tasks = [turn.task for turn in self._turns.values()]
            await asyncio.wait(tasks, timeout=FAREWELL_SECONDS)

    async def _keep_claiming(self) -> None:
        """Claim on every ring and every second, until told to stop; end turns nobody wants."""
        looked = 0.0
        loop = asyncio.get_running_loop()
        while not self._stop.is_set():
            try:
                await self._claim()
                if loop.time() - looked >= LOOK_SECONDS / 2:
                    looked = loop.time()
                    await self._stop_unwanted()
                    self._writer.forget_watchers()
            except (OperationalError, InterfaceError) as error:
                log.warning("turns wait for Postgres: %s", error)
            except Exception:
                log.exception("turns were not looked for; trying again")
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._rung.wait()
            except TimeoutError:
                pass
            self._rung.clear()

    async def _claim(self) -> None:
        limit = min(CLAIM_AT_ONCE, self._capacity - len(self._turns))
        if limit <= 0:
            return
        held = [turn.work.claim.stream_id for turn in self._turns.values()]
        asked = (self._holder, limit, self._lease, held)
        kept: asyncio.Future[Any] | None = None
        try:
            found, kept = await claim_turns_at_once(self._lane, *asked)
        except psycopg.Error:
            found = await self._lane.run(claim_turns, *asked)
        for work in found:
            turn = TurnRun(work, self._writer, self._lane, self._run_agent, kept)
            key = str(work.claim.stream_id)
            self._turns[key] = turn
            turn.task.add_done_callback(partial(self._done, key))
        if len(found) == limit:
            self._rung.set()

    def _done(self, key: str, task: asyncio.Task[None]) -> None:
        turn = self._turns.pop(key)
        if turn.work.wants_title:
            self._titler.ring()
        if not task.cancelled() and task.exception() is not None:
            log.error("turn %s was left to its lease", key, exc_info=task.exception())

    async def _stop_unwanted(self) -> None:
        if self._turns:
            ids = [turn.work.claim.stream_id for turn in self._turns.values()]
            for turn_id in await self._lane.run(find_unwanted, ids):
                if turn := self._turns.get(str(turn_id)):
                    turn.stop()

    async def _keep_listening(self) -> None:
        while True:
            try:
                async for _channel, message in doorbell.listen(doorbell.RUNNERS):
                    self._hear(message)
            except (redis.RedisError, OSError) as error:
                log.warning("the doorbell is silent: %s", error)
            except Exception:
                log.exception("a doorbell was not understood")
            await asyncio.sleep(LOOK_SECONDS)

    def _hear(self, message: Any) -> None:
        match message:
            case {"watch": keys, "web": web_id}:
                self._writer.watch(web_id, keys)
            case {"note": key}:
                if turn := self._turns.get(key):
                    turn.is_spoken_to = True
            case {"stop": key}:
                if turn := self._turns.get(key):
                    turn.stop()
            case _:
                remembered.look_ahead()  # while the claim is on its way
                self._rung.set()

    async def _renew(self) -> None:
        held = [(turn.work.claim.stream_id, turn.work.claim.fence) for turn in self._turns.values()]
        if not held:
            return
        still = await self._lane.run(leases.renew, held, self._lease)
        for stream_id, _fence in held:
            turn = self._turns.get(str(stream_id))
            if stream_id not in still and turn is not None:
                turn.lose()

    async def _beat(self) -> None:
        await asyncio.to_thread(heartbeats.beat, "runner")

    async def _every(self, seconds: float, act: Any) -> None:
        while True:
            try:
                await act()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next try may do
                log.warning("%s: %s", act.__name__, error)
            await asyncio.sleep(seconds)
