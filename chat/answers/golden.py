"""An answer kept as a golden question: what was asked, and the passages that it rightly cites."""

from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _

from accounts.access import require_visible
from accounts.models import User
from chat.models import Citation, Feedback, Message
from knowledge.models import Collection, GoldenQuestion
from knowledge.quality.errors import QuestionRefused
from knowledge.quality.services import Expectation, add_question

Origin = GoldenQuestion.Origin
MOST_HOMES = 50


def keep_as_golden(user: User, message_id: UUID, collection_id: UUID) -> GoldenQuestion:
    """The question of this answer; what the answer cites of the collection is expected, unless
    `user` has rated it as bad: then somebody has to say what is right.

    From an editor of the collection it counts, from a reader it waits. The words leave the
    conversation by this person's wish: a temporary one is not taken from. Raises Http404 and
    QuestionRefused.
    """
    answer = answer_of(user, message_id)
    collection = require_visible(Collection.objects, user, collection_id)
    if answer.conversation.is_temporary:
        raise QuestionRefused(_("Nothing of a temporary chat is kept."))
    rated = Feedback.objects.filter(message=answer, person=user).first()
    is_bad = rated is not None and rated.rating == Feedback.Rating.BAD
    return add_question(
        user,
        collection,
        answer.parent.text if answer.parent else "",
        expected=() if is_bad else _expected(user, answer, collection),
        origin=Origin.FEEDBACK if rated else Origin.MESSAGE,
        note=rated.comment[:300] if rated else "",
    )


def homes_of(user: User, message_id: UUID) -> list[Collection]:
    """The collections in which the answer's question may be kept: first those that it cites, then
    those that `user` edits. None where nobody asked anything, or nothing of it is kept."""
    try:
        answer = answer_of(user, message_id)
    except Http404:
        return []
    if answer.conversation.is_temporary:
        return []
    cited = set(cited_by(user, answer).values_list("document__collection_id", flat=True))
    editable = Collection.objects.editable_by(user).order_by("name")[:MOST_HOMES]
    found = list(Collection.objects.visible_to(user).filter(pk__in=cited).order_by("name"))
    return found + [one for one in editable if one.pk not in cited]


def answer_of(user: User, message_id: UUID) -> Message:
    """To a question in words, in a conversation that `user` may see; raises Http404."""
    answers = Message.objects.visible_to(user).filter(role=Message.Role.ASSISTANT)
    rows = answers.select_related("parent", "conversation").filter(pk=message_id)
    found: Message | None = rows.first()
    if found is None or found.parent is None or not found.parent.text:
        raise Http404
    return found


def cited_by(user: User, answer: Message) -> Any:
    return Citation.objects.visible_to(user).filter(message=answer)


def _expected(user: User, answer: Message, collection: Collection) -> list[Expectation]:
    """Each passage once; words that are not in the document any more are left out."""
    rows = cited_by(user, answer).filter(document__collection=collection).with_changes()
    found = {(row.document_id, row.quote): row for row in rows if not row.has_changed}
    return [Expectation(row.document_id, row.quote, row.start) for row in found.values()][:20]
