"""What a model says when it may call tools: words, calls, what comes of them, and words again."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from uuid import UUID

from agents.asking import Asked
from agents.authority.deciding import decide
from agents.guardrails.admitting import said_meanwhile
from agents.running.keeping import Past, PastStep
from agents.running.ledger import Ledger, Rows
from agents.running.notes import Note
from agents.running.opening import as_it_began, numbers_of
from agents.running.spending import Spending, spent_by, summed
from agents.running.state import BOTH, opening_state
from agents.running.transcript import GO_ON, NOT_MADE, Numbers, Transcript
from agents.running.voice import voice_of
from agents.tools.running import Decide, Workshop
from agents.types import AgentTask, Chat, LabelsDemanded, NoteTaken, Step, TextDelta
from agents.types.openings import Opening
from gateway.labels import labels_of
from gateway.types import Completed, FindRoutes, StreamItem, ToolCall, ToolCalls

Talk = AsyncGenerator[StreamItem | Step, None]


@dataclass(frozen=True, slots=True)
class Outside:
    """What a run with tools needs from outside; tests give their own."""

    decide: Decide = decide
    ledger: Callable[[AgentTask, UUID, Opening], Ledger] = Rows


async def talk(
    task: AgentTask, asked: Asked, chat: Chat, routes: FindRoutes, outside: Outside = Outside()
) -> Talk:
    """Items as of one answer, Completed last, with the steps of tools between them. What an earlier
    holder of the run has done comes first, as it was.

    Without a Completed it waits for a person, or another agent goes on: `asked.handed`. Why a limit
    ended it is in `asked.notices`.
    """
    talking = Talking(task, asked, routes, outside)
    async with aclosing(talking.again()) as items:
        async for item in items:
            yield item
    while not (talking.is_waiting or talking.has_ended or asked.handed):
        async with aclosing(talking.speak(chat)) as items:
            async for item in items:
                yield item
        async with aclosing(talking.act()) as steps:
            async for step in steps:
                yield step
    if talking.has_ended:
        yield summed(talking.done)


class Talking:
    """One run as far as it has come: `wanted` are the calls that its model waits for, `done` what
    each of its calls of the model took."""

    def __init__(self, task: AgentTask, asked: Asked, routes: FindRoutes, outside: Outside) -> None:
        self.wanted: list[ToolCall] = []
        self.done: list[Completed] = []
        self.has_ended = False
        self._is_cut = False  # a limit was reached: its last words are said without calls
        self._asked = asked
        self._transcript = Transcript(asked.request, task.caller.call_id if task.caller else "")
        self._spending = Spending(task.agent.limits, task.caller.spending if task.caller else None)
        self._voice = voice_of(task, asked.request.continues)
        state = opening_state(task, asked)
        asked.state, asked.spending, asked.done = state, self._spending, self.done
        self._opening = as_it_began(task, asked, state)
        self._ledger = outside.ledger(task, state.run_id, self._opening)
        self._workshop = Workshop(
            task=task,
            tools=asked.tools,
            state=state,
            numbers=Numbers((*asked.passages, *asked.recalled), task.numbers_taken),
            demands=asked.demands,
            routes=routes,
            decide=outside.decide,
            ledger=self._ledger,
            spending=self._spending,
        )

    @property
    def is_waiting(self) -> bool:
        return self._workshop.is_waiting

    async def again(self) -> Talk:
        """What was said and done before, without asking anybody anew; then what is left of the
        calls that were wanted last."""
        past = await self._ledger.past()
        self._workshop.numbers.keep(numbers_of(self._opening))
        for one in (*past.before, past):
            self._workshop.numbers.keep(one.numbers)
        for earlier in past.before:
            async with aclosing(self._retell(earlier)) as items:
                async for item in items:
                    yield item
        self._workshop.past = dict(past.calls)
        if past.steps and self._asked.opening is None:  # it knew more than is known of it
            self._workshop.state = replace(self._workshop.state, taints=BOTH)
            self._asked.state = self._workshop.state
        for spent in spent_by(past):
            self._spending.take(spent)
        for ordinal, step in enumerate(past.steps, 1):
            async with aclosing(self._resay(step)) as items:
                async for item in items:
                    yield item
            if self.is_waiting or self._asked.handed:
                return
            is_last = ordinal == len(past.steps)
            heard = await self._heard() if is_last else past.notes.get(ordinal, ())
            for note in heard:
                yield await self._note(note)
        self.has_ended = past.has_ended and not heard if past.steps else False

    async def _resay(self, step: PastStep) -> Talk:
        if shown := self._hear(step):
            yield TextDelta(shown)
        if not step.calls:
            self._transcript.add(self._voice.pause(), [], {})
            return
        async with aclosing(self._act()) as steps:
            async for made in steps:
                yield made

    async def _retell(self, earlier: Past) -> Talk:
        """A run that a limit ended and that this one goes on from: it costs nothing of this one's
        limits, and nothing of it is done again."""
        self._workshop.past = dict(earlier.calls)
        self._workshop.results.clear()
        for ordinal, step in enumerate(earlier.steps, 1):
            if step.text:
                yield TextDelta(self._voice.say(step.text))
            wanted = self._transcript.unlike(step.calls)
            kept = [one for one in wanted if earlier.has_result(one)]
            async with aclosing(self._workshop.run(kept)) as steps:
                async for made in steps:
                    yield made
            results = {one.id: NOT_MADE for one in wanted} | self._workshop.results
            self._transcript.add(self._voice.pause(), wanted, results)
            for note in earlier.notes.get(ordinal, ()):
                yield await self._note(note)
        self._transcript.hear(GO_ON)
        self._asked.state = self._workshop.state
        self._workshop.handed = None  # it came to nothing

    def _hear(self, step: PastStep) -> str:
        """As if the model had just said it."""
        request = self._transcript.request()
        self.done.append(step.done)
        self.wanted = self._transcript.unlike(step.calls)
        shown = self._voice.say(step.text) if step.text else ""
        self._spending.add_step(step.done, request, step.text)
        return shown

    async def speak(self, chat: Chat) -> Talk:
        """One call of the model: its words at once, its calls afterwards in `wanted`."""
        may_call = not self._spending.reached
        self._is_cut = not may_call
        request = self._transcript.request(may_call=may_call)
        calls: tuple[ToolCall, ...] = ()
        async with aclosing(chat(request)) as items:
            async for item in items:
                match item:
                    case TextDelta(text):
                        if shown := self._voice.say(text):
                            yield TextDelta(shown)
                    case ToolCalls():
                        calls = item.calls
                    case Completed():
                        self.done.append(item)
                    case _:
                        yield item
        self.wanted = self._transcript.unlike(calls) if may_call else []
        self._spending.add_step(self.done[-1], request, self._voice.since_pause)

    async def act(self) -> AsyncGenerator[Step, None]:
        """Make the calls that are wanted and may be made, and tell the model of each; then what the
        person has said meanwhile. Without either it has ended."""
        if not self.wanted and not self._is_cut and not await self._ledger.is_spoken_to():
            self.has_ended = True
            return
        said, ordinal = self._voice.since_pause, len(self.done)
        await self._ledger.spoke(ordinal, said, self.wanted, self.done[-1])
        if self.wanted:
            async with aclosing(self._act()) as steps:
                async for step in steps:
                    yield step
            if self.is_waiting or self._asked.handed:
                return
        else:
            self._transcript.add(self._voice.pause(), [], {})
        heard = await self._heard()
        for note in heard:
            yield await self._note(note)
        self.has_ended = not (self.wanted or heard)

    async def _heard(self) -> Sequence[Note]:
        """Nothing more is taken up once a limit is reached: nobody would act on it."""
        return () if self._spending.reached else await self._ledger.hears(len(self.done))

    async def _note(self, note: Note) -> NoteTaken:
        heard = await said_meanwhile(self._workshop.task, note.text)
        self._asked.notes.append(heard)
        self._transcript.hear(heard)
        return NoteTaken(note.id, note.text)

    async def _act(self) -> AsyncGenerator[Step, None]:
        known = labels_of(self._workshop.demands)
        async with aclosing(self._workshop.run(self._spending.admit(self.wanted))) as steps:
            async for step in steps:
                yield step
        asked, workshop = self._asked, self._workshop
        asked.state, asked.demands = workshop.state, workshop.demands
        if self.is_waiting:
            return
        asked.handed = workshop.handed
        if (labels := labels_of(self._workshop.demands)) != known:
            self._transcript.labels = labels
            yield LabelsDemanded(tuple(sorted(labels)))
        self._spending.look_at_the_clock()
        if reached := self._spending.reached:
            self._asked.notices.append(reached)
        results = {one.id: f"It was not called. {reached}" for one in self.wanted}
        self._transcript.add(self._voice.pause(), self.wanted, results | self._workshop.results)
