"""One turn in the hands of the runner, from its first event to its last."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import Any

import psycopg
from django import db
from django.conf import settings
from django.utils import translation

from agents.types import AgentTask, HandedOver, Step
from chat.models import Turn
from chat.turns import progress
from chat.turns.finishing import finish_turn, finish_turn_at_once
from chat.turns.noting import wind_up
from chat.turns.types import Answer, Ending, TurnWork
from chat.turns.waiting import park_turn
from events import leases
from events.cancelling import cancel_all
from events.types import EventRow, LeaseLost
from events.writer import EventWriter
from gateway.errors import GatewayError
from gateway.labels import labels_of
from gateway.metering.recording import record_lost_call
from gateway.routing.routes import find_routes
from gateway.types import OFFLINE
from observability.lanes import Lane
from security.sentences import Sentence

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
RETRY_SECONDS = 0.5
MOST_EARLY = 64  # steps that are kept until the claim is on the disk

RunAgent = Callable[[AgentTask], AsyncGenerator[Step, None]]


class TurnRun:
    """Runs a claimed turn in a task of its own; ends it as completed, stopped, interrupted, failed.

    Whoever asks for an end cancels the agent's loop, which closes the connection to the model.
    """

    def __init__(
        self,
        work: TurnWork,
        writer: EventWriter,
        lane: Lane,
        run_agent: RunAgent,
        kept: "asyncio.Future[Any] | None" = None,
    ) -> None:
        """`kept` is done when the claim is on the disk; nobody is told anything before."""
        self.work = work
        self._kept = kept
        self._is_begun = asyncio.Event()
        self._early: list[Step] = []
        # Also a question that fails, or is refused, was asked under its labels.
        self.answer = Answer(labels=sorted(labels_of(work.task.demands)))
        self._writer = writer
        self._lane = lane
        self._run_agent = run_agent
        self._stream = writer.open(work.claim, self.lose)
        self._talk: asyncio.Task[None] | None = None
        self._order: Ending | None = None
        self._is_handed_back = False
        self.is_spoken_to = False  # a note came; one to a run without tools is heard by nobody
        self.task = asyncio.create_task(self._run(), name=f"turn {work.claim.stream_id}")

    def stop(self) -> None:
        """The person asked for it."""
        self._end(progress.stopped(self.work.answer_id))

    def interrupt(self) -> None:
        """This runner has to go: keep what was said, or let another one begin anew."""
        if not self.answer.has_loose_words:
            self._is_handed_back = True
        self._end(progress.interrupted(self.work.answer_id, Sentence("restarted")))

    def lose(self) -> None:
        """Somebody else holds the turn, or it was deleted: leave it alone at once."""
        self._stream.is_lost = True
        self._end(progress.interrupted(self.work.answer_id))

    def _end(self, ending: Ending) -> None:
        if self._order is None:
            self._order = ending
            if self._talk is not None:
                self._talk.cancel()

    @property
    def _language(self) -> str:
        return self.work.task.user.language or settings.LANGUAGE_CODE

    async def _run(self) -> None:
        with translation.override(self._language):
            try:
                ending = await self._answer()
                if self._is_handed_back:
                    await self._hand_back()
                elif ending is None:
                    await self._wait_for_person()
                else:
                    await self._finish(ending)
                    await self._wind_up(ending)
            except LeaseLost:
                log.info("turn %s is somebody else's now", self._stream.key)
            finally:
                self._writer.close(self._stream)

    async def _answer(self) -> Ending | None:
        """Let the agent answer, unless something speaks against it; how that ended. None: it waits
        for the person."""
        ending = self._reason_not_to_begin()
        if ending is not None or self.work.task.agent.may_call:  # what is written under the claim
            await self._hold_claim()
            ending = ending or self._order
        if ending is not None:
            if self.answer.has_loose_words:
                await self._count_lost_call()
            return ending
        self._talk = asyncio.create_task(self._follow_agent())
        try:
            await self._hear_out(self._talk)
        except asyncio.CancelledError:
            if self._order is None:
                raise
            return self._order
        except LeaseLost:
            raise
        except GatewayError as error:
            return progress.failed(progress.describe(error))
        except Exception:
            log.exception("turn %s failed", self._stream.key)
            return progress.failed(progress.out_of_order())
        finally:
            await self._end_talk(self._talk)
        if self.answer.waits_for and not self.answer.is_finished:
            return None
        work = self.work
        return progress.completed(self.answer, work.answer_id, wants_title=work.wants_title)

    async def _hear_out(self, talk: "asyncio.Task[None]") -> None:
        """Raises CancelledError where an end was asked for meanwhile, also of an agent that was
        done by then."""
        await self._hold_claim()
        self._stream.emit("turn_started", self.work.started)
        self._tell_understood("")
        self._is_begun.set()
        if self._order is not None:
            raise asyncio.CancelledError
        self._take_early()
        await talk

    async def _end_talk(self, talk: "asyncio.Task[None]") -> None:
        """Where the claim was not held the agent has begun for nothing: nobody hears of it."""
        await cancel_all([talk])
        if not talk.cancelled():
            talk.exception()

    async def _hold_claim(self) -> None:
        """Raises LeaseLost where nobody knows whether the claim was written: then its fence may be
        somebody else's."""
        if self._kept is None:
            return
        try:
            await asyncio.shield(self._kept)
        except psycopg.Error as error:
            raise LeaseLost(self._stream.key) from error

    async def _count_lost_call(self) -> None:
        """The call of a runner that died while the model spoke: it cost something, nobody knows how
        much."""
        task = self.work.task
        if self.answer.usage is not None or self.answer.is_by_stand_in:
            return
        try:
            for route in (await find_routes(task.agent.model_name))[:1]:
                turn_id = self.work.claim.stream_id
                await record_lost_call(turn_id, task.payer(), route.model, route.endpoint)
        except db.Error:
            log.exception("the call of turn %s was not counted", self._stream.key)

    def _reason_not_to_begin(self) -> Ending | None:
        work = self.work
        if work.earlier.has_words and (work.earlier.has_loose_words or work.must_stop):
            work.earlier.labels = work.earlier.labels or self.answer.labels
            self.answer = work.earlier
        if work.earlier.has_loose_words:
            return progress.interrupted(work.answer_id, Sentence("broken_off"))
        if work.must_stop:
            return progress.stopped(work.answer_id)
        if work.claim.attempts > MAX_ATTEMPTS:
            return progress.failed(progress.out_of_order())
        return self._order

    async def _follow_agent(self) -> None:
        """What it does before the claim is on the disk is kept until then: the model is asked
        meanwhile, and nobody is told."""
        async with aclosing(self._run_agent(self.work.task)) as steps:
            async for step in steps:
                if self._is_begun.is_set():
                    self._take(step)
                    continue
                self._early.append(step)
                if len(self._early) >= MOST_EARLY:
                    await self._is_begun.wait()

    def _take_early(self) -> None:
        early, self._early = self._early, []
        for step in early:
            self._take(step)

    def _take(self, step: Step) -> None:
        progress.record(step, self.answer, self._stream)
        if isinstance(step, HandedOver):
            self._tell_understood(step.call_id)

    def _tell_understood(self, call_id: str) -> None:
        rows = self.work.earlier.understood.get(call_id, ())
        progress.tell_again(rows, self.answer, self._stream)

    async def _finish(self, ending: Ending) -> None:
        """Store and tell the end; Postgres being away is waited out."""
        is_early = ending.status != Turn.Status.COMPLETED
        if is_early and self.work.earlier.is_longer_than(self.answer):
            self.answer = self.work.earlier  # it did not come so far as to say it again
        if is_early:
            progress.cut(self.answer, self._stream)
        told = await self._stream.last_rows()
        if is_early and self.answer.has_words and not self.answer.model:
            self.answer.model = await self._model_that_spoke()
        row = await self._store(self.answer, ending, told)
        self._writer.close(self._stream, [row])

    async def _wind_up(self, ending: Ending) -> None:
        """Of calls that were cut off, and of what was said to the run and not heard any more; where
        this fails the clock's sweeper does it."""
        if not (self.is_spoken_to or self.work.task.agent.may_call):
            return
        try:
            await self._lane.run(wind_up, self.work.claim.stream_id, ending.status)
        except Exception:
            log.exception("turn %s is wound up later", self._stream.key)

    async def _model_that_spoke(self) -> str:
        """Only a finished answer says who wrote it; of another it follows from the routes."""
        if self.answer.is_by_stand_in:
            return OFFLINE
        try:
            routes = await find_routes(self.work.task.agent.model_name)
        except db.Error as error:
            log.warning("turn %s ends without its model's name: %s", self._stream.key, error)
            return ""
        return (routes[0].alias or routes[0].model) if routes else OFFLINE

    async def _store(self, answer: Answer, ending: Ending, told: list[EventRow]) -> EventRow:
        while True:
            try:
                return await self._store_once(answer, ending, told)
            except (db.OperationalError, db.InterfaceError) as error:
                log.warning("turn %s waits for Postgres: %s", self._stream.key, error)
                await asyncio.sleep(RETRY_SECONDS)
            except db.DatabaseError:
                if not answer.citations and not answer.steps:
                    raise
                log.exception("turn %s: only its text can be kept", self._stream.key)
                answer = Answer(
                    text=answer.text,
                    labels=answer.labels,
                    model=answer.model,
                    notice=answer.notice,
                )

    async def _store_once(self, answer: Answer, ending: Ending, told: list[EventRow]) -> EventRow:
        claim, answer_id = self.work.claim, self.work.answer_id
        if not (answer.citations or answer.handed_to):
            with suppress(psycopg.Error):  # a thread says what is wrong
                return await finish_turn_at_once(claim, answer_id, answer, ending, told)
        return await self._lane.run(finish_turn, claim, answer_id, answer, ending, told)

    async def _wait_for_person(self) -> None:
        """Nobody holds the turn until they have decided; what was decided meanwhile counts."""
        await self._stream.drain()
        await self._lane.run(park_turn, self.work.claim)

    async def _hand_back(self) -> None:
        await self._stream.drain()
        claim = self.work.claim
        await self._lane.run(leases.release, claim.stream_id, claim.fence, count_attempt=False)
