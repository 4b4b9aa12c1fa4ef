"""Writes about golden questions: who may, what is refused, and what is kept of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.access import require_visible
from accounts.models import User
from knowledge.curation.anchors import Anchor, find_anchor
from knowledge.models import Collection, Document, DocumentText, ExpectedPassage, GoldenQuestion
from knowledge.quality.errors import QuestionRefused
from knowledge.quality.wording import key_of, script_of
from security import audit
from security.acts import Act

LONGEST_QUESTION = 2_000  # characters
LONGEST_QUOTE = 4_000
MOST_EXPECTED = 20
MOST_QUESTIONS = 2_000  # of a collection
NO_SUCH_DOCUMENT = gettext_noop("There is no such document in this collection.")

Origin = GoldenQuestion.Origin
State = GoldenQuestion.State


@dataclass(frozen=True, slots=True)
class Expectation:
    """A passage by its words, or a whole document where no words are given."""

    document_id: UUID
    quote: str = ""
    start: int = 0


def add_question(
    user: User,
    collection: Collection,
    question: str,
    *,
    expected: Iterable[Expectation] = (),
    must_find_nothing: bool = False,
    origin: str = Origin.WRITTEN,
    note: str = "",
    is_proposed: bool = False,
) -> GoldenQuestion:
    """One more question of `collection`; counted at once if `user` edits the collection.

    From those who only see it, and with `is_proposed`, it waits until an editor accepts it. The
    same words again are the same question: it gets what is expected now besides what it had.
    Raises Http404 for a collection that `user` may not see, QuestionRefused otherwise.
    """
    require_visible(Collection.objects, user, collection.pk)
    wanted = list(expected)
    text = checked(question, wanted, must_find_nothing=must_find_nothing)
    may_edit = Collection.objects.editable_by(user).filter(pk=collection.pk).exists()
    named = {one.document_id for one in wanted}
    if Document.objects.visible_to(user).filter(pk__in=named).count() < len(named):
        raise QuestionRefused(_(NO_SUCH_DOCUMENT))
    is_accepted = may_edit and not is_proposed
    with transaction.atomic():
        Collection.objects.select_for_update(no_key=True).get(pk=collection.pk)
        known = GoldenQuestion.objects.filter(collection=collection)
        same, key = _find_same(user, known, text, may_edit=may_edit)
        if same is not None:
            return _same(user, same, wanted, must_find_nothing, is_accepted=is_accepted)
        if known.count() >= MOST_QUESTIONS:
            raise QuestionRefused(
                _("A collection has at most %d golden questions.") % MOST_QUESTIONS
            )
        made: GoldenQuestion = GoldenQuestion.objects.create(
            collection=collection,
            text=text,
            key=key,
            script=script_of(text),
            must_find_nothing=must_find_nothing,
            state=State.ACCEPTED if is_accepted else State.PROPOSED,
            origin=origin,
            note=note[:300],
            added_by=user,
            reviewed_by=user if is_accepted else None,
            reviewed_at=timezone.now() if is_accepted else None,
        )
        _expect(made, wanted)
    return made


def _find_same(
    user: User, known: "QuerySet[GoldenQuestion]", text: str, *, may_edit: bool
) -> tuple[GoldenQuestion | None, str]:
    """The question with these words, and under which key it is or would be kept.

    To a reader from whom it is kept it is not there: what they propose is one of their own, as if
    nobody had asked so before.
    """
    key = key_of(text)
    same = known.filter(key=key).first()
    if same is None or may_edit or GoldenQuestion.objects.visible_to(user).filter(pk=same.pk):
        return same, key
    own = key_of(f"{key} {user.pk}")
    return known.filter(key=own).first(), own


def _same(
    user: User,
    same: GoldenQuestion,
    wanted: list[Expectation],
    must_find_nothing: bool,
    *,
    is_accepted: bool,
) -> GoldenQuestion:
    """A reader's words, or a model's, change nothing of what is there."""
    if not is_accepted:
        return same
    if (wanted and same.must_find_nothing) or (must_find_nothing and same.expected.exists()):
        raise QuestionRefused(
            _("This question is there already and says otherwise about what is to be found.")
        )
    _expect(same, wanted)
    same.must_find_nothing = must_find_nothing
    _accept(user, same)
    return same


def change_question(
    user: User,
    question: GoldenQuestion,
    text: str,
    *,
    expected: Iterable[Expectation],
    must_find_nothing: bool = False,
    note: str = "",
) -> GoldenQuestion:
    """Other words, and exactly these expectations from now on; accepted by that."""
    require_editor(user, question.collection_id)
    wanted = list(expected)
    text = checked(text, wanted, must_find_nothing=must_find_nothing)
    with transaction.atomic():
        others = GoldenQuestion.objects.filter(collection=question.collection_id, key=key_of(text))
        if others.exclude(pk=question.pk).exists():
            raise QuestionRefused(_("There is such a question already."))
        question.text, question.key, question.script = text, key_of(text), script_of(text)
        question.must_find_nothing, question.note = must_find_nothing, note[:300]
        question.expected.all().delete()
        _expect(question, wanted)
        _accept(user, question)
    return question


def review_question(user: User, question: GoldenQuestion, *, is_accepted: bool) -> GoldenQuestion:
    """An editor's word on what was proposed; it can be changed later."""
    require_editor(user, question.collection_id)
    if is_accepted:
        _accept(user, question)
    else:
        question.state = State.DECLINED
        question.reviewed_by, question.reviewed_at = user, timezone.now()
        question.save()
    return question


def delete_question(user: User, question: GoldenQuestion) -> None:
    """With its results: what was measured of all questions together stays."""
    require_editor(user, question.collection_id)
    with transaction.atomic():
        audit.record(Act.GOLDEN_DELETED, question.collection, by=user, question=str(question.pk))
        question.delete()


def _accept(user: User, question: GoldenQuestion) -> None:
    question.state = State.ACCEPTED
    question.reviewed_by, question.reviewed_at = user, timezone.now()
    question.save()


def require_editor(user: User, collection_id: UUID) -> None:
    """Raises Http404, or PermissionDenied for who may only see it."""
    require_visible(Collection.objects, user, collection_id)
    if not Collection.objects.editable_by(user).filter(pk=collection_id).exists():
        raise PermissionDenied


def checked(text: str, wanted: list[Expectation], *, must_find_nothing: bool) -> str:
    """The question without white space around; raises QuestionRefused for what makes no sense."""
    text = " ".join(text.replace("\0", "").split())
    if not text or not any(letter.isalnum() for letter in text):
        raise QuestionRefused(_("Write the question."))
    if len(text) > LONGEST_QUESTION:
        raise QuestionRefused(_("A question has at most %d characters.") % LONGEST_QUESTION)
    if must_find_nothing and wanted:
        raise QuestionRefused(_("A question that must find nothing expects no passages."))
    if len(wanted) > MOST_EXPECTED:
        raise QuestionRefused(_("A question expects at most %d passages.") % MOST_EXPECTED)
    return text


def _expect(question: GoldenQuestion, wanted: list[Expectation]) -> None:
    """Keep them, those it has already once; each is in the question's own collection, and stands
    there today."""
    known = {(e.document_id, " ".join(e.quote.split())) for e in question.expected.all()}
    for one in dict.fromkeys(wanted):
        quote = one.quote.replace("\0", "").strip()
        if (one.document_id, " ".join(quote.split())) in known:
            continue
        if len(quote) > LONGEST_QUOTE:
            raise QuestionRefused(_("A quote has at most %d characters.") % LONGEST_QUOTE)
        start = place_of(question.collection_id, one.document_id, quote, one.start)
        known.add((one.document_id, " ".join(quote.split())))
        ExpectedPassage.objects.create(
            question=question, document_id=one.document_id, quote=quote, start=start
        )


def place_of(collection_id: UUID, document_id: UUID, quote: str, start: int = 0) -> int:
    """Where the quote stands in the document's text now; raises QuestionRefused."""
    document = Document.objects.filter(pk=document_id, collection=collection_id).first()
    if document is None:
        raise QuestionRefused(_(NO_SUCH_DOCUMENT))
    if not quote:
        return 0
    text = DocumentText.objects.filter(document=document).values_list("text", flat=True).first()
    span = find_anchor(text or "", Anchor(quote, start=start))
    if span is not None:
        return span[0]
    # A curator's own words are in passages, and in no source text.
    own = (chunk.text for chunk in document.chunks.only("text") if quote in chunk.text)
    if next(own, None) is None:
        raise QuestionRefused(
            _("“%(quote)s” does not stand in “%(title)s”.")
            % {"quote": quote[:60], "title": document.title}
        )
    return start
