"""An answer on its way to be approved: its words and sources, as the form of a collection takes
them. Nothing is approved here; an editor reads it first."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.http import Http404

from accounts.models import User
from chat.answers.golden import answer_of, cited_by
from chat.models import Citation, Message
from gateway.types import OFFLINE
from knowledge.models import Collection
from knowledge.quality.approved import MOST_SOURCES

# Code is left alone: `a[0]` is no mark.
_MARK = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`| ?\[(?P<n>\d{1,3})\](?!\()", re.DOTALL)

Places = dict[tuple[UUID, str], int]  # numbers of sources, by document and quote


@dataclass(frozen=True, slots=True)
class Draft:
    """What would be approved in this collection: of the sources those that lie there and still say
    what is quoted, in the order in which the text's marks name them."""

    collection: Collection
    question: str
    text: str
    sources: tuple[Citation, ...]


def find_drafts(user: User, message_id: UUID) -> list[Draft]:
    """One for each collection that the answer cites and `user` edits; none of what was approved
    already, broke off, or is not kept."""
    try:
        answer = answer_of(user, message_id)
    except Http404:
        return []
    is_whole = answer.status == Message.Status.COMPLETE and not answer.conversation.is_temporary
    if not is_whole or any(step["kind"] == "answer_approved" for step in answer.steps):
        return []
    rows = cited_by(user, answer).select_related("document").with_changes()
    standing = [row for row in rows if not row.has_changed]
    homes = Collection.objects.editable_by(user).order_by("name")
    found = homes.filter(pk__in={row.document.collection_id for row in standing})
    return [_draft(answer, home, standing) for home in found]


def _draft(answer: Message, home: Collection, standing: Sequence[Citation]) -> Draft:
    """Each quote once; marks of what lies elsewhere are left out."""
    here = [row for row in standing if row.document.collection_id == home.pk]
    sources = list({(row.document_id, row.quote): row for row in here}.values())[:MOST_SOURCES]
    places = {(row.document_id, row.quote): n for n, row in enumerate(sources, 1)}
    is_proposed = any(row.is_proposed for row in here)
    said = _quoted(answer.text) if answer.model_name == OFFLINE else answer.text
    text = (_proposed if is_proposed else _marked)(said, here, places)
    question = answer.parent.text if answer.parent else ""
    return Draft(home, question, text, tuple(sources))


def _quoted(text: str) -> str:
    """Of an answer without a model the words of documents alone."""
    return "\n".join(line[1:].strip() for line in text.splitlines() if line.startswith(">"))


def _marked(text: str, here: Sequence[Citation], places: Places) -> str:
    """The model's marks, with the numbers of the quotes that each of them stands for."""
    marks: dict[int, dict[str, None]] = {}
    for row in here:
        if n := places.get((row.document_id, row.quote)):
            marks.setdefault(row.n, {})[f"[{n}]"] = None
    numbers = {n: "".join(found) for n, found in marks.items()}
    return _MARK.sub(lambda found: _renumbered(found, numbers), text)


def _proposed(text: str, here: Sequence[Citation], places: Places) -> str:
    """Marks where they are proposed, from the last one."""
    for row in sorted(here, key=lambda row: -(row.at or 0)):
        at = len(text) if row.at is None else row.at
        if n := places.get((row.document_id, row.quote)):
            text = f"{text[:at]} [{n}]{text[at:]}"
    return text


def _renumbered(found: re.Match[str], marks: dict[int, str]) -> str:
    if not found["n"]:
        return found[0]
    mark = marks.get(int(found["n"]), "")
    return f" {mark}" if mark and found[0].startswith(" ") else mark
