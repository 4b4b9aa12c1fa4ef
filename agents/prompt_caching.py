"""What of a prompt is the same from one question of a conversation to the next.

Servers read a beginning once that they have read before, so a prompt goes from what lasts to what
passes: rules and instructions, documents that are read whole, the history, and in the last message
everything that was looked up for this one question. Whatever changes with a question (passages,
memories, images, a random fence) has its place there and nowhere else.
"""

from collections.abc import Sequence
from hashlib import blake2b
from uuid import UUID

from django.utils.crypto import salted_hmac

from agents.prompt import Part, Source
from agents.types import AgentTask, AttachedFile, Reading


def cache_key(conversation_id: UUID | None) -> str:
    """What the servers know a conversation by: it tells nothing, and nobody can guess another's."""
    return _hashed("key", conversation_id)[:32] if conversation_id else ""


def lasting_fence(conversation_id: UUID | None) -> str:
    """The word of pinned blocks: the same in a conversation, unknown to who writes a document."""
    return _hashed("fence", conversation_id)[:16] if conversation_id else ""


def in_lasting_order(files: Sequence[AttachedFile], *, is_first: bool) -> list[AttachedFile]:
    """What came with earlier questions before what is new, each as it was uploaded."""
    return sorted(files, key=lambda file: (file.is_new and not is_first, file.document_id))


def pinned_documents(task: AgentTask, reading: Reading) -> frozenset[UUID]:
    """Those read whole that come again with the next question: of earlier questions, or of the
    first, which opens the conversation itself."""
    lasting = {f.document_id for f in task.attachments if not (f.is_new and task.history)}
    whole = {use.document_id for use in reading.uses if use.how == "whole"}
    return frozenset(lasting & whole)


def from_anchor(parts: Sequence[Part]) -> list[Part]:
    """The history from a message on where it will begin the next few times too.

    Of a conversation that is too long the oldest messages go. If one went with every question the
    prompt would never begin as before; so it begins with that question of the older half whose
    hash is the lowest, which stays the lowest until it is too old itself.
    """
    older = [n for n, part in enumerate(parts[: len(parts) // 2]) if part.source is Source.PERSON]
    return list(parts[min(older, key=lambda n: _rank(parts[n])) :]) if older else list(parts)


def _rank(part: Part) -> bytes:
    return blake2b(part.text.encode(errors="surrogatepass"), digest_size=8).digest()


def _hashed(use: str, conversation_id: UUID | None) -> str:
    salt = f"agents.prompt_caching.{use}"
    return salted_hmac(salt, str(conversation_id), algorithm="sha256").hexdigest()
