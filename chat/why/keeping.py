"""What of a run is kept with its answer for whoever asks why: numbers and places, never words.

It rides in the steps of the message, which are written at its end anyway: no statement more, a few
kilobytes at most. Passages are kept by their ids, so that whoever reads this is asked anew whether
they may see them.
"""

from collections.abc import Iterable

from agents.types import (
    PackedPassage,
    PromptAssembled,
    RetrievalCompleted,
    Step,
    ToolCompleted,
)
from chat.why.kinds import CALL, PROMPT, SEARCH
from events.types import Payload
from knowledge.retrieval.types import Candidate, StageRank
from knowledge.types import Passage, SearchResult

MOST = 50  # candidates; of those after them, how many there were
MOST_OF_CALL = 16  # of one that a tool looked at: there may be many calls
STAGES = 12  # of a candidate
DIGITS = 4


def kept(step: Step) -> list[Payload]:
    """What of a step is kept, as steps for this page alone; of nearly all of them nothing."""
    match step:
        case RetrievalCompleted(found=SearchResult() as found):
            return [{"kind": SEARCH, "data": _search(step.passages, found)}]
        case ToolCompleted(found=SearchResult() as found, parent=""):
            search = _search(step.passages, found, MOST_OF_CALL)
            return [{"kind": CALL, "data": {"call": step.call_id, **search}}]
        case PromptAssembled(blocks, budget):
            told = [[block.kind, block.tokens, block.n] for block in blocks]
            return [{"kind": PROMPT, "data": {"budget": budget, "blocks": told}}]
    return []


def _search(given: Iterable[PackedPassage], found: SearchResult, most: int = MOST) -> Payload:
    numbers = {part.chunk_id: packed.n for packed in given for part in packed.parts}
    candidates = found.trace or tuple(_candidates(found.passages))
    documents = {candidate.document_id: None for candidate in candidates[:most]}
    places = {document: place for place, document in enumerate(documents)}
    return {
        "weight": round(found.alpha, DIGITS),
        "timings": {name: round(ms, 1) for name, ms in found.timings.items()},
        "documents": [str(document) for document in documents],
        "candidates": [
            _kept(candidate, places[candidate.document_id], numbers.get(candidate.chunk_id))
            for candidate in candidates[:most]
        ],
        "more": max(0, len(candidates) - most),
    }


def _kept(candidate: Candidate, document: int, number: int | None) -> Payload:
    """`at` are stage, rank, score and the number of the query; `n` is its number in the prompt."""
    at = [[s.stage, s.rank, round(s.score, DIGITS), s.query] for s in candidate.stages[:STAGES]]
    told: Payload = {"id": str(candidate.chunk_id), "document": document, "at": at}
    if number is not None:
        told["n"] = number
    elif candidate.dropped is not None:
        told["dropped"] = candidate.dropped.value
    return told


def _candidates(passages: Iterable[Passage]) -> Iterable[Candidate]:
    """Of a search that tells no more than the ranks of what it found."""
    for rank, passage in enumerate(passages, 1):
        legs = ((name, passage.ranks.get(name)) for name in ("lexical", "dense"))
        stages = [StageRank(name, leg["rank"], leg["score"]) for name, leg in legs if leg]
        fused = StageRank("fused", rank, passage.score)
        yield Candidate(passage.chunk_id, passage.document_id, (*stages, fused))
