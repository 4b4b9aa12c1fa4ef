"""Approved answers: what a curator pinned to a question, found again by its words.

A question is one of the approved wordings where it says the same words, or nearly: of all their
terms together at least four fifths are shared (Jaccard 1901), numbers and negations are the same,
and so is what is asked for: a reason is no date. Two answers that are equally near are no answer:
then documents are searched as always.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from knowledge.curation.anchors import Anchor, find_anchor
from knowledge.models import (
    ApprovedAnswer,
    ApprovedSource,
    ApprovedWording,
    Collection,
    DocumentText,
)
from knowledge.quality.errors import QuestionRefused
from knowledge.quality.services import Expectation, checked, place_of, require_editor
from knowledge.quality.wording import key_of, terms_of
from knowledge.retrieval.allowed import allowed_to
from knowledge.types import Passage
from observability.remembered import Remembered
from security import audit
from security.acts import Act
from security.reading import reading_as

NEAR = 0.8
LONGEST_ANSWER = 8_000
MOST_WORDINGS = 20
MOST_SOURCES = 10
BEGINNING = 600  # characters that stand for a whole document

_any_there = Remembered(ApprovedAnswer.objects.exists)

_MARK = re.compile(r"\[\d{1,2}\]")
_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")
_NEGATION = re.compile(
    r"\b(?:no|not|never|none|without|except|cannot)\b|n['’]t\b|[不没沒無无非未别勿]", re.IGNORECASE
)

# What is asked for: search reads over these words, but "why" is not "when".
_ASKED_FOR = tuple(
    re.compile(words, re.IGNORECASE)
    for words in (
        r"\b(?:how (?:much|many|long|often|far)|what amount)\b|多少|[幾几]|多[久长長大遠远]",
        r"\bhow\b(?! (?:much|many|long|often|far)\b)|如何|怎",
        r"\bwhy\b|\bhow come\b|为什么|為什麼|為甚麼|为何|為何|何以",
        r"\bwhen\b|\bwhat (?:time|date|day)\b|何[时時]|什么时候|什麼時候|甚麼時候|哪[天日年]",
        r"\bwhere\b|哪[里裡裏儿兒]|何[处處地]",
        r"\b(?:who|whom|whose)\b|[谁誰]|何人",
    )
)

# The wordings whose terms are nearest, of answers that count now in collections this person sees.
NEAREST = """
with mine as materialized ({visible}),
near as (
    select w.answer_id, w.text, w.key = %s as is_same,
           icount.shared::float / nullif(cardinality(w.terms) + %s - icount.shared, 0) as share
    from knowledge_approvedwording w
        join knowledge_approvedanswer a on a.id = w.answer_id
        cross join lateral (
            select count(*) as shared from unnest(w.terms) as term where term = any(%s::int[])
        ) as icount
    where (w.key = %s or w.terms && %s::int[])
      and a.collection_id in (select id from mine)
      and not exists (select from knowledge_approvedsource s
                      join knowledge_document d on d.id = s.document_id
                      where s.answer_id = a.id and d.is_apart
                        and d.id not in (select id from mine))
      and (a.expires_at is null or a.expires_at > now()))
select answer_id, text, is_same, share from near
where is_same or share >= %s order by is_same desc, share desc limit 10
"""


@dataclass(frozen=True, slots=True)
class Approved:
    """An approved answer for a question, with the sources that its reader may see."""

    id: UUID
    collection_id: UUID
    question: str
    text: str
    approved_at: datetime
    passages: tuple[tuple[int, Passage], ...]
    labels: tuple[str, ...]
    is_exact: bool

    @property
    def cited_text(self) -> str:
        """With its marks; all sources at the end, where the curator set none."""
        if _MARK.search(self.text) or not self.passages:
            return self.text
        return self.text + " " + "".join(f"[{n}]" for n, _passage in self.passages)


def approve(
    user: User,
    collection: Collection,
    question: str,
    text: str,
    *,
    wordings: Sequence[str] = (),
    sources: Sequence[Expectation] = (),
    expires_at: datetime | None = None,
    answer: ApprovedAnswer | None = None,
) -> ApprovedAnswer:
    """Pin an answer to a question, or change one that is pinned. Raises QuestionRefused, Http404,
    and PermissionDenied for who does not edit the collection."""
    require_editor(user, collection.pk)
    question = checked(question, [], must_find_nothing=False)
    text = text.replace("\0", "").strip()
    if not text:
        raise QuestionRefused(_("Write the answer."))
    if len(text) > LONGEST_ANSWER:
        raise QuestionRefused(_("An answer has at most %d characters.") % LONGEST_ANSWER)
    more = [checked(one, [], must_find_nothing=False) for one in wordings if one.strip()]
    asked = {key_of(one): one for one in (question, *more)}
    if len(asked) > MOST_WORDINGS:
        raise QuestionRefused(_("A question has at most %d wordings.") % MOST_WORDINGS)
    if len(sources) > MOST_SOURCES:
        raise QuestionRefused(_("An answer has at most %d sources.") % MOST_SOURCES)
    if expires_at is not None and expires_at <= timezone.now():
        raise QuestionRefused(_("It would have expired already."))
    with transaction.atomic():
        Collection.objects.select_for_update(no_key=True).get(pk=collection.pk)
        made = answer or ApprovedAnswer(collection=collection)
        made.question, made.text = question, text
        made.expires_at, made.approved_by = expires_at, user
        made.save()
        _name(made, asked)
        _rest_on(made, sources)
        audit.record(Act.ANSWER_APPROVED, made, by=user, collection=str(collection.pk))
        transaction.on_commit(_any_there.forget)
    return made


def withdraw(user: User, answer: ApprovedAnswer) -> None:
    """From the next question on it is not given any more."""
    require_editor(user, answer.collection_id)
    with transaction.atomic():
        audit.record(Act.ANSWER_WITHDRAWN, answer, by=user, collection=str(answer.collection_id))
        answer.delete()


def find_approved(
    user: User, question: str, collections: Sequence[UUID] | None = None
) -> Approved | None:
    """The answer that is approved for this question in what `user` may see; None where there is
    none, or where two that are equally near contradict each other.

    No query at all while nothing is approved anywhere in the house.
    """
    if not _any_there.get_now() or not question.strip():
        return None
    sql, parameters = allowed_to(user, collections)
    key, terms = key_of(question), terms_of(question)
    values = [*parameters, key, len(terms), terms, key, terms, NEAR]
    with reading_as(user), connection.cursor() as cursor:
        cursor.execute(NEAREST.format(visible=sql), values)
        rows = [row for row in cursor.fetchall() if row[2] or _says_the_same(row[1], question)]
        if not rows or _is_torn(rows):
            return None
        answer = ApprovedAnswer.objects.get(pk=rows[0][0])
        return _given(answer, is_exact=rows[0][2])


def _says_the_same(one: str, other: str) -> bool:
    """What two wordings may not differ in, however near they are: numbers, negations, and whether
    a time, a place, a person, a reason, an amount or a way is asked for."""
    return (
        sorted(_NUMBER.findall(one)) == sorted(_NUMBER.findall(other))
        and len(_NEGATION.findall(one)) == len(_NEGATION.findall(other))
        and all(bool(kind.search(one)) == bool(kind.search(other)) for kind in _ASKED_FOR)
    )


def _is_torn(rows: Sequence[tuple[UUID, str, bool, float]]) -> bool:
    best = rows[0]
    rivals = [row for row in rows if row[0] != best[0] and (row[2], row[3]) == (best[2], best[3])]
    return bool(rivals)


def _given(answer: ApprovedAnswer, *, is_exact: bool) -> Approved:
    rows = answer.sources.filter(document__collection=answer.collection_id)
    found = [(n, row) for n, row in enumerate(rows.select_related("document"), 1)]
    documents = [row.document_id for _n, row in found]
    stored = DocumentText.objects.filter(document__in=documents)
    texts = dict(stored.values_list("document_id", "text"))
    passages = ((n, _placed(row, texts.get(row.document_id, ""))) for n, row in found)
    labels = Collection.objects.values_list("required_labels", flat=True).get(
        pk=answer.collection_id
    )
    return Approved(
        answer.pk,
        answer.collection_id,
        answer.question,
        answer.text,
        answer.updated_at,
        tuple((n, passage) for n, passage in passages if passage is not None),
        tuple(labels),
        is_exact,
    )


def _placed(row: ApprovedSource, text: str) -> Passage | None:
    """None where its words are not there any more, or in no passage that can be found."""
    whole = (0, min(len(text), BEGINNING))
    span = find_anchor(text, Anchor(row.quote, start=row.start)) if row.quote else whole
    if span is None:
        return None
    chunks = row.document.chunks.filter(start__lte=span[0]).order_by("-start")
    chunk = chunks.only("id", "heading_path", "page").first()
    if chunk is None:
        return None
    return Passage(
        chunk_id=chunk.pk,
        document_id=row.document_id,
        collection_id=row.document.space_id,
        title=row.document.title,
        heading_path=tuple(chunk.heading_path),
        text=text[slice(*span)],
        start=span[0],
        end=span[1],
        page=chunk.page,
        score=1.0,
    )


def _name(answer: ApprovedAnswer, asked: dict[str, str]) -> None:
    others = Q(answer__collection=answer.collection_id, key__in=list(asked))
    if ApprovedWording.objects.filter(others).exclude(answer=answer).exists():
        raise QuestionRefused(_("Another answer is approved for one of these wordings."))
    answer.wordings.all().delete()
    ApprovedWording.objects.bulk_create(
        ApprovedWording(answer=answer, text=text, key=key, terms=terms_of(text))
        for key, text in asked.items()
    )


def _rest_on(answer: ApprovedAnswer, sources: Sequence[Expectation]) -> None:
    answer.sources.all().delete()
    for one in dict.fromkeys(sources):
        quote = one.quote.strip()
        start = place_of(answer.collection_id, one.document_id, quote, one.start)
        ApprovedSource.objects.create(
            answer=answer, document_id=one.document_id, quote=quote, start=start
        )
