"""What a prompt is made of, in tokens: for whoever wants to know where its room went."""

from collections.abc import Iterable, Iterator, Sequence

from agents.packing import BLOCK_TOKENS
from agents.prompt import RULES, Part
from agents.tokens import estimate_tokens
from agents.types import AgentTask, PackedPassage, PromptBlock, Reading
from agents.types.steps import BlockKind

RULES_TOKENS = estimate_tokens(RULES)


def blocks_of(
    task: AgentTask,
    history: Sequence[Part],
    passages: Sequence[PackedPassage],
    reading: Reading,
) -> tuple[PromptBlock, ...]:
    """In the order of the prompt; what there is nothing of is left out. Estimates, like those by
    which passages are packed: in microseconds."""
    images = reading.tokens - sum(_of_passage(passage) for passage in reading.passages)
    found = [
        PromptBlock("rules", RULES_TOKENS),
        *_of("instructions", [task.agent.instructions]),
        *_of("history", [part.text for part in history]),
        *_of("memory", [known.text for known in task.memories]),
        *(PromptBlock("passage", _of_passage(passage), passage.n) for passage in passages),
    ]
    if reading.images:
        found.append(PromptBlock("images", max(images, 0), len(reading.images)))
    return (*found, *_of("question", [task.question]))


def _of_passage(passage: PackedPassage) -> int:
    return estimate_tokens(passage.text) + BLOCK_TOKENS


def _of(kind: BlockKind, texts: Iterable[str]) -> Iterator[PromptBlock]:
    said = [text for text in texts if text]
    if said:
        yield PromptBlock(kind, sum(map(estimate_tokens, said)), len(said))
