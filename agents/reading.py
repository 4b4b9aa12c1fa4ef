"""What of the attached files goes into the prompt: documents whole where they fit, else searched.

A document that is read whole is its stored text from the first character to the last, cut into
numbered pieces along its passages, so that a citation of it is verified and opened like any other.
One that does not fit is searched, and only there (`knowledge.retrieval.search_shelves`). Images:
`agents.seeing`.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from django.db.models.functions import Length

from accounts.models import User
from agents.packing import BLOCK_TOKENS, pack_with
from agents.prompt_caching import in_lasting_order
from agents.seeing import cost_of, show_images
from agents.tokens import estimate_tokens
from agents.types import AgentTask, AttachedFile, AttachmentUse, PackedPassage, Reading
from gateway.routing.routes import sees_images
from gateway.types import PromptImage
from knowledge.models import Chunk, Document, DocumentText
from knowledge.retrieval import search_shelves
from knowledge.retrieval.surroundings import passage_of, read_around
from knowledge.types import Passage
from observability.patience import run_patiently
from security.reading import second_lock
from security.sentences import SOURCE, Sentence

WAIT_SECONDS = 90.0  # for files whose reading has not ended when the question is asked
LOOK_SECONDS = 0.25
PIECE_TOKENS = 700  # of a whole document under one number
SEARCHED_SHARE = 1 / 2  # of the budget, kept for what must be searched when something must
CANDIDATES = 3  # passages looked at for each that may be packed

READY, FAILED = Document.Status.READY, Document.Status.FAILED


async def read_attachments(task: AgentTask, query: str, budget: int) -> Reading:
    """Wait until the files are read, then take of them what fits into `budget` tokens.

    What cannot be used is named in `uses` with its reason; nothing raises because of it.
    """
    began = time.monotonic()
    states = await _settled(task)
    sees = any(file.is_image for file in task.attachments) and await sees_images(
        task.agent.model_name
    )
    ready = [file for file in task.attachments if states.get(file.document_id) == (READY, "")]
    unread = tuple(
        _unread(f, states.get(f.document_id)) for f in task.attachments if f not in ready
    )
    pictures = [file for file in ready if file.is_image]
    documents = [file for file in ready if not file.is_image]
    shown, uses = await run_patiently(show_images, task, pictures, budget, sees)
    spent = sum(cost_of(image) for image in shown)
    whole, searched = await run_patiently(split_by_size, task.user, documents, budget - spent)
    passages = await run_patiently(read_documents, task, query, whole, searched, budget - spent)
    return Reading(
        uses=(
            *(AttachmentUse(file.document_id, file.name, "whole") for file in whole),
            *(AttachmentUse(file.document_id, file.name, "searched") for file in searched),
            *uses,
            *unread,
        ),
        passages=passages,
        images=tuple(PromptImage(image.media_type, image.data) for image in shown),
        tokens=spent + sum(estimate_tokens(passage.text) + BLOCK_TOKENS for passage in passages),
        took_ms=(time.monotonic() - began) * 1000,
    )


# -- Files that are still being read ---------------------------------------------------------------

State = tuple[str, str]


async def _settled(task: AgentTask) -> dict[UUID, State]:
    """Status and reason of each file; one that is deleted meanwhile is missing."""
    ids = [file.document_id for file in task.attachments]
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        states = await run_patiently(_states, ids)
        is_over = time.monotonic() > deadline
        if is_over or all(status in {READY, FAILED} for status, _reason in states.values()):
            return states
        await asyncio.sleep(LOOK_SECONDS)


def _states(ids: Sequence[UUID]) -> dict[UUID, State]:
    rows = Document.objects.filter(pk__in=ids).values_list("pk", "status", "reason")
    return {pk: (status, reason) for pk, status, reason in rows}


def _unread(file: AttachedFile, state: State | None) -> AttachmentUse:
    if state is None:
        reason = Sentence("file_deleted", name=file.name)
    elif state[0] == FAILED:
        reason = Sentence("file_unreadable", name=file.name, reason=Sentence(SOURCE, text=state[1]))
    else:
        reason = Sentence("file_still_read", name=file.name)
    return AttachmentUse(file.document_id, file.name, "unread", reason)


# -- Documents -------------------------------------------------------------------------------------


@second_lock
def _text_lengths(user: User, ids: Sequence[UUID]) -> dict[UUID, int]:
    texts = DocumentText.objects.filter(document__in=Document.objects.attached_for(user))
    found = texts.filter(document__in=ids).annotate(length=Length("text"))
    return dict(found.values_list("document_id", "length"))


def split_by_size(
    user: User, files: Sequence[AttachedFile], budget: int
) -> tuple[list[AttachedFile], list[AttachedFile]]:
    """Those to be read whole and those to be searched: all whole, or the short ones."""
    if not files:
        return [], []
    lengths = _text_lengths(user, [file.document_id for file in files])
    costs = {
        file.document_id: _cost(user, file, lengths.get(file.document_id, 0), budget)
        for file in files
    }
    if sum(costs.values()) <= budget:
        return list(files), []
    left = budget * (1 - SEARCHED_SHARE)
    whole = []
    for file in sorted(files, key=lambda file: costs[file.document_id]):
        left -= costs[file.document_id]
        if left >= 0:
            whole.append(file)
    return whole, [file for file in files if file not in whole]


def _cost(user: User, file: AttachedFile, length: int, budget: int) -> int:
    """Tokens of the whole text; that of a long one is not even fetched."""
    if length > budget * 5:
        return length
    tokens = estimate_tokens(_text(user, file.document_id))
    return tokens + (tokens // PIECE_TOKENS + 1) * BLOCK_TOKENS


@second_lock
def _text(user: User, document_id: UUID) -> str:
    texts = DocumentText.objects.filter(document__in=Document.objects.attached_for(user))
    return texts.filter(document=document_id).values_list("text", flat=True).first() or ""


def read_documents(
    task: AgentTask,
    query: str,
    whole: Sequence[AttachedFile],
    searched: Sequence[AttachedFile],
    budget: int,
) -> tuple[PackedPassage, ...]:
    """Numbered passages: the whole documents, the earlier first, then what was found in others."""
    whole = in_lasting_order(whole, is_first=not task.history)
    pieces = [piece for file in whole for piece in _whole(task.user, file)]
    left = budget - sum(estimate_tokens(piece.text) + BLOCK_TOKENS for piece in pieces)
    found = _searched(task, query, searched, left) if searched else ()
    return tuple(replace(piece, n=n) for n, piece in enumerate([*pieces, *found], 1))


def _searched(
    task: AgentTask, query: str, files: Sequence[AttachedFile], budget: int
) -> tuple[PackedPassage, ...]:
    """What fits the question best, packed as that of documents is.

    Where nothing resembles the question, the beginnings of the files come first: who attaches a
    file asks about it, and "nothing found" is no answer to that.
    """
    limit = max(task.agent.max_passages, 1)
    result = search_shelves(
        task.user,
        query,
        [file.shelf_id for file in files],
        limit * CANDIDATES,
        task.demands,
        payer=task.payer("embedding"),
        remember=not task.is_temporary,
    )
    found = result.passages
    if not found or not result.is_alike:
        first = {passage.chunk_id: passage for passage in _beginnings(task.user, files)}
        found = (*first.values(), *(p for p in found if p.chunk_id not in first))
    return pack_with(found, budget, limit, read_around(task.user, found)).passages


@second_lock
def _chunks(user: User, document_id: UUID, most: int | None = None) -> list[Chunk]:
    rows = Chunk.objects.attached_for(user).filter(document=document_id).order_by("position")
    return list(rows.select_related("document").defer("terms", "bm25")[:most])


def _whole(user: User, file: AttachedFile) -> Iterator[PackedPassage]:
    text = _text(user, file.document_id)
    return in_pieces(text, [passage_of(chunk) for chunk in _chunks(user, file.document_id)])


def in_pieces(text: str, passages: Sequence[Passage], first: int = 0) -> Iterator[PackedPassage]:
    """A text from end to end in pieces, each made of stretches that begin where passages do;
    `first` is where it begins in its document."""
    end = first + len(text)
    begun = [passage for passage in passages if passage.start <= first]
    passages = [*begun[-1:], *(passage for passage in passages if passage.start > first)]
    cuts = [first, *(passage.start for passage in passages[1:]), end]
    gathered: list[Passage] = []
    tokens = 0
    for passage, begin, stop in zip(passages, cuts, cuts[1:], strict=False):
        words = text[begin - first : stop - first]
        stretch = replace(passage, text=words, start=begin, end=stop)
        cost = estimate_tokens(stretch.text)
        if gathered and tokens + cost > PIECE_TOKENS:
            yield PackedPassage(0, tuple(gathered))
            gathered, tokens = [], 0
        gathered.append(stretch)
        tokens += cost
    if gathered:
        yield PackedPassage(0, tuple(gathered))


def _beginnings(user: User, files: Sequence[AttachedFile]) -> list[Passage]:
    """How the documents begin: what is shown when nothing in them resembles the question."""
    return [
        replace(passage_of(chunk), score=1.0)
        for file in files
        for chunk in _chunks(user, file.document_id, 2)
    ]
