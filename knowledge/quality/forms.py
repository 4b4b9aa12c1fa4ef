"""Forms of golden questions and approved answers, as far as people fill them in."""

from collections.abc import Iterable
from datetime import datetime, time
from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from knowledge.models import Collection, Document, DocumentText, QualityPlan
from knowledge.quality.approved import LONGEST_ANSWER
from knowledge.quality.errors import QuestionRefused
from knowledge.quality.importing import resolve
from knowledge.quality.services import LONGEST_QUESTION, LONGEST_QUOTE, Expectation

EMPTY_ROWS = 2  # that a form shows beside those that are filled in
MOST_ROWS = 20


class PlanForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = QualityPlan
        fields = ("schedule", "asks_answers")


class QuestionForm(forms.Form):
    text = forms.CharField(
        label=_("Question"), max_length=LONGEST_QUESTION, widget=forms.Textarea({"rows": 2})
    )
    must_find_nothing = forms.BooleanField(
        label=_("Nothing here answers it: search must find nothing"), required=False
    )
    note = forms.CharField(label=_("Note"), max_length=300, required=False)


class AnswerForm(forms.Form):
    question = forms.CharField(
        label=_("Question"), max_length=LONGEST_QUESTION, widget=forms.Textarea({"rows": 2})
    )
    wordings = forms.CharField(
        label=_("Other wordings"), required=False, widget=forms.Textarea({"rows": 3}),
        help_text=_("One a line. Questions that say nearly the same are recognised by themselves."),
    )  # fmt: skip
    text = forms.CharField(
        label=_("Answer"), max_length=LONGEST_ANSWER, widget=forms.Textarea({"rows": 6}),
        help_text=_("[1], [2] … cite the sources below, in their order."),
    )  # fmt: skip
    expires = forms.DateField(
        label=_("Expires"), required=False, widget=forms.DateInput({"type": "date"}),
        help_text=_("On this day it is given for the last time. Empty: it does not expire."),
    )  # fmt: skip

    @property
    def expires_at(self) -> datetime | None:
        day = self.cleaned_data["expires"]
        return timezone.make_aware(datetime.combine(day, time.max)) if day else None


def named_in(data: QueryDict) -> list[dict[str, str]]:
    """The rows of quotes as they were filled in, for showing them again."""
    quotes, documents = data.getlist("quote"), data.getlist("document")
    rows = [
        {"document": document.strip(), "quote": quote.strip()[:LONGEST_QUOTE]}
        for document, quote in zip(documents, quotes, strict=False)
    ]
    return [row for row in rows if row["document"] or row["quote"]][:MOST_ROWS]


def expectations_in(collection: Collection, data: QueryDict) -> list[Expectation]:
    """Quotes that were written, and found passages that were ticked; raises QuestionRefused."""
    written = [resolve(collection, row["document"], row["quote"])[0] for row in named_in(data)]
    return written + [_ticked(collection, value) for value in data.getlist("passage")[:MOST_ROWS]]


def _ticked(collection: Collection, value: str) -> Expectation:
    """A passage of `document:start:end`, by its words."""
    try:
        document, start, end = value.split(":")
        span = slice(int(start), int(end))
        texts = DocumentText.objects.filter(document__collection=collection)
        texts = texts.filter(document=UUID(document))
    except ValueError as error:
        raise QuestionRefused(str(_("This passage is not there any more."))) from error
    text = texts.values_list("text", flat=True).first()
    if not text or not 0 <= span.start < span.stop <= len(text):
        raise QuestionRefused(str(_("This passage is not there any more.")))
    return Expectation(UUID(document), text[span][:LONGEST_QUOTE].strip(), span.start)


def rows_of(parts: Iterable[Any]) -> list[dict[str, str]]:
    """Stored expectations or sources as rows of a form."""
    return [{"document": _name_of(one.document), "quote": one.quote} for one in parts]


def _name_of(document: Document) -> str:
    """Its title, where no other is called so."""
    alike = Document.objects.filter(
        collection=document.collection_id, title__iexact=document.title
    ).exclude(pk=document.pk)
    return str(document.pk) if alike.exists() else document.title


def with_empty(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    count = min(EMPTY_ROWS, MOST_ROWS - len(rows)) if rows else EMPTY_ROWS
    return rows + [{"document": "", "quote": ""} for _n in range(count)]
