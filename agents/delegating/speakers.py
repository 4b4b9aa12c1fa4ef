"""Who writes an answer, one after the other: where the run is handed over, the next one goes on."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from agents.asking import Asked
from agents.delegating.handing import handed_over
from agents.running.spending import summed
from agents.running.talking import Talk
from agents.types import (
    AgentTask,
    AttachmentsRead,
    RetrievalCompleted,
    Step,
    TextDelta,
    ToolCompleted,
)
from gateway.types import Completed, StreamItem
from security.sentences import Sentence

Speak = Callable[[AgentTask, Asked], Talk]
Prepare = Callable[[AgentTask, Asked], AsyncGenerator[Step, None]]


async def one_after_another(task: AgentTask, asked: Asked, speak: Speak, prepare: Prepare) -> Talk:
    """All that they say as one answer, with one Completed for all of them. Between two of them
    stands what the next one reads and searches."""
    heard = Heard(max((one.n for one in (*asked.passages, *asked.recalled)), default=0))
    done: list[Completed] = []
    while True:
        async with aclosing(speak(task, asked)) as items:
            async for item in items:
                heard.note(item)
                yield summed([*done, item]) if isinstance(item, Completed) else item
        if asked.handed is None:
            return
        done += asked.done
        following = await handed_over(task, asked, heard.said, heard.taken)
        if following is None:
            asked.notices.append(Sentence("handed_to_nobody"))
            yield summed(done)
            return
        task, step = following
        yield step
        before, asked = asked, Asked()
        asked.notices = before.notices
        async with aclosing(prepare(task, asked)) as steps:
            async for made in steps:
                heard.note(made)
                yield made


class Heard:
    """What was said so far, and how many numbers of citations are taken."""

    def __init__(self, taken: int) -> None:
        self.taken = taken
        self._words: list[str] = []

    @property
    def said(self) -> str:
        return "".join(self._words)

    def note(self, item: StreamItem | Step) -> None:
        match item:
            case TextDelta(text):
                self._words.append(text)
            case ToolCompleted() | RetrievalCompleted() | AttachmentsRead():
                self.taken = max([self.taken, *(one.n for one in item.passages)])
