"""Whether this version reads this database: as a person would, but without changing a row."""

from collections.abc import Iterator

from django.db import Error

from accounts.models import User
from chat.models import Conversation
from chat.selectors import list_conversations, list_messages
from config.doctor import FAIL, OK, WARN, Finding, check_database
from config.operations.wording import number
from gateway.errors import GatewayError
from knowledge.models import Chunk
from knowledge.retrieval import search
from knowledge.selectors import find_passage_text, list_collections, list_documents

SAMPLE_CHARACTERS = 80


def smoke_test() -> Iterator[Finding]:
    """What the doctor sees in the database, then a search, a passage and a conversation."""
    findings = list(check_database())
    yield from findings
    if any(finding.status == FAIL for finding in findings):
        return
    for name, look in (("Search", _search), ("Conversation", _read_conversation)):
        try:
            yield Finding(name, *look())
        except (Error, GatewayError) as problem:
            words = str(problem).strip().splitlines() or [type(problem).__name__]
            yield Finding(name, FAIL, words[0], "Stay on the version that runs now.")


def _search() -> tuple[str, str]:
    """Search for the beginning of some passage as one who owns it; it must be found and opened."""
    collected = Chunk.objects.filter(collection__is_shelf=False, collection__part_of=None)
    chunk = collected.select_related("collection__owner").order_by("-id").first()
    if chunk is None:
        return WARN, "there is no passage to look for"
    person = chunk.collection.owner
    found = search(person, chunk.text[:SAMPLE_CHARACTERS], [chunk.collection_id], 5).passages
    if not found:
        return FAIL, "a passage that is there was not found"
    first = found[0]
    text = find_passage_text(person, first.document_id, first.start, first.end, 0)
    if text.quote != first.text:
        return FAIL, "a passage is not what stands in its document"
    shown = number(list_documents(person).count(), "document")
    return OK, f"{shown} in {number(list_collections(person).count(), 'collection')}, one opened"


def _read_conversation() -> tuple[str, str]:
    latest = Conversation.objects.order_by("-id").first()
    if latest is None:
        people = number(User.objects.count(), "person", "people")
        return WARN, f"nobody of {people} has asked anything yet"
    messages = len(list_messages(latest.owner, latest.pk))
    shown = number(list_conversations(latest.owner).count(), "conversation")
    return OK, f"{shown}, the latest with {number(messages, 'message')}"
