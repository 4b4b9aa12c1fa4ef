"""The page of one document: its own pages, its text as it looked in its file, or as it is stored.

A span (`at=12-80`, or `start` and `end`) is shown in its place whichever of them is asked for.
"""

import re
from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models.functions import Length
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from accounts.callers import caller
from accounts.models import User
from knowledge import selectors
from knowledge.curation.figures import add_figures
from knowledge.curation.own_words import Quoted, find_quoted, stretch_at
from knowledge.document_versions.history import has_text
from knowledge.file_types import PDF, TEXT
from knowledge.layout import draw, unpack
from knowledge.models import Document, DocumentText, SourceItem
from knowledge.places import MOST, find_places
from knowledge.reading import Span, find_parts, lay_out, part_of
from knowledge.rows import in_words
from knowledge.sources.selectors import list_origins
from knowledge.unread_pages import find_picture_pages, in_ranges
from knowledge.views.documents import document_context, joined, list_passages
from security.reading import reading_as, second_lock

SPAN = re.compile(r"(\d{1,9})-(\d{1,9})")
LISTED = 100  # passages beside the document at once
BEFORE = 3  # passages listed before the one that is shown


@require_GET
@login_required
def document(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """The document with its passages; for htmx the document alone."""
    user = caller(request)
    shown = selectors.find_document(user, document_id)
    quoted = _number(request, "version")
    if quoted and quoted != shown.version_number and has_text(user, shown, quoted):
        place = reverse("knowledge:version", args=[shown.pk, quoted])
        return redirect(f"{place}?{request.META['QUERY_STRING']}")
    own, spans = _own_words(user, shown, _spans(request))
    context = {**document_context(request, shown), "spans": spans, "own": own}
    if _view(request, shown) == "pages":
        context |= _pages(user, shown, spans)
    else:
        context |= _text(request, user, shown, spans)
    context["is_past_the_end"] &= any(name in request.GET for name in ("at", "start", "end"))
    if "HX-Request" in request.headers:
        return render(request, "knowledge/_reading.html", context)
    marked = context["marked"]
    at = marked[0][0] if marked else context.get("offset", 0)
    context["marked"] = [*marked, *(quoted.span for quoted in own)]
    context |= _listed(request, shown, _position(request, shown, at) - BEFORE)
    context["origins"] = _origins(user, shown) if context["may_edit"] else []
    pictures = find_picture_pages(user, shown)
    context |= {"unread_pages": pictures.unread, "unread_ranges": in_ranges(pictures.unread)}
    context |= {"ocr_pages": pictures.by_ocr, "ocr_ranges": in_ranges(pictures.by_ocr)}
    return render(request, "knowledge/document.html", context)


@require_GET
@login_required
def passages(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """More rows of the list beside the document: those from the position `from` on."""
    shown = selectors.find_document(caller(request), document_id)
    context = {"document": shown, "marked": _spans(request), "only": request.GET.get("only", "")}
    context |= _listed(request, shown, _number(request, "from") or 0)
    return render(request, "knowledge/_passages.html", context)


@require_GET
@login_required
def places(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """The words of the spans, and the pages they are on, for the viewer of pages."""
    user = caller(request)
    shown = selectors.find_document(user, document_id)
    _own, spans = _own_words(user, shown, _spans(request))
    found = find_places(user, shown.pk, spans)
    return JsonResponse({"places": [asdict(place) for place in found]})


def _origins(user: User, shown: Document) -> list[SourceItem]:
    """Which sources have it, and whether it is still there."""
    found = list_origins(user, shown.pk)
    for item in found:
        item.reason_shown = in_words(item.reason)  # type: ignore[attr-defined]
        item.is_its_own = item.source_id == shown.source_id  # type: ignore[attr-defined]
    return found


def _view(request: HttpRequest, shown: Document) -> str:
    """`pages`, `document` (as it looked) or `text` (as it is stored)."""
    if request.GET.get("view") == "text":
        return "text"
    return "pages" if shown.media_type == PDF.media_type else "document"


def _pages(user: User, shown: Document, spans: list[Span]) -> dict[str, Any]:
    found = find_places(user, shown.pk, spans)
    characters = _length(user, shown)
    return {
        "view": "pages",
        "places": [asdict(place) for place in found],
        "marked": [(place.start, place.end) for place in found],
        "is_past_the_end": bool(characters) and not found,
        "characters": characters,
        "other": ("text", _address(spans, view="text")) if characters else None,
    }


def _text(request: HttpRequest, user: User, shown: Document, spans: list[Span]) -> dict[str, Any]:
    text, layout, has_figures_read = _stored(user, shown)
    marked = [(start, min(end, len(text))) for start, end in spans if start < len(text)]
    parts = find_parts(text)
    number = part_of(parts, marked[0][0]) if marked else _part(request, len(parts))
    part = parts[number]
    is_drawn = layout is not None and _view(request, shown) == "document"
    context: dict[str, Any] = {
        "view": "document" if is_drawn else "text",
        "marked": marked,
        "is_past_the_end": not marked,
        "part": number + 1,
        "parts": len(parts),
        "offset": part[0],
        "characters": len(text),
        "other": _other(shown, spans, is_drawn=is_drawn, has_layout=layout is not None),
        "is_indexed_before_layouts": bool(text)
        and layout is None
        and shown.media_type not in {TEXT.media_type, PDF.media_type},
        "is_indexed_before_figures": layout is not None and not has_figures_read,
    }
    if is_drawn:
        return {**context, "shown": draw(text, unpack(layout), part, marked)}
    with reading_as(user):
        inside = list_passages(request, shown).filter(start__lt=max(part[1], 1), end__gt=part[0])
        return {**context, "blocks": lay_out(text, inside, part, marked)}


def _other(
    shown: Document, spans: list[Span], *, is_drawn: bool, has_layout: bool
) -> tuple[str, str] | None:
    """The other view there is of the document, and its address."""
    if shown.media_type == PDF.media_type:
        return "pages", _address(spans)
    if shown.media_type == TEXT.media_type or not has_layout:
        return None
    return ("text", _address(spans, view="text")) if is_drawn else ("document", _address(spans))


def _address(spans: list[Span], **others: str) -> str:
    at = [("at", f"{start}-{end}") for start, end in spans]
    return f"?{urlencode([*others.items(), *at])}"


@second_lock
def _own_words(user: User, shown: Document, spans: list[Span]) -> tuple[list[Quoted], list[Span]]:
    """What is asked for of the words of curators, and the spans with their places instead."""
    if not Document.objects.visible_to(user).filter(pk=shown.pk).exists():
        return [], spans
    own = find_quoted(shown.pk, spans)
    places = {quoted.span: quoted.place for quoted in own}
    return own, [places.get(span, span) for span in spans]


@second_lock
def _stored(user: User, shown: Document) -> tuple[str, Any, bool]:
    visible = Document.objects.visible_to(user).filter(pk=shown.pk)
    rows = DocumentText.objects.filter(document__in=visible)
    found = rows.values_list("text", "layout", "has_figures_read").first()
    if found is None:
        return "", None, True
    return found[0][: stretch_at(shown.pk, 0).end], *found[1:]


@second_lock
def _length(user: User, shown: Document) -> int:
    visible = Document.objects.visible_to(user).filter(pk=shown.pk)
    rows = DocumentText.objects.filter(document__in=visible).annotate(length=Length("text"))
    return rows.values_list("length", flat=True).first() or 0


def _position(request: HttpRequest, shown: Document, offset: int) -> int:
    """Of the passage that holds the character at `offset`, or the one before it."""
    with reading_as(caller(request)):
        before = list_passages(request, shown).filter(start__lte=offset)
        return before.values_list("position", flat=True).last() or 0


def _listed(request: HttpRequest, shown: Document, first: int) -> dict[str, Any]:
    """A window of the passages, and where the windows beside it begin."""
    first = max(0, first)
    with reading_as(caller(request)):
        rows = list(list_passages(request, shown).filter(position__gte=first)[: LISTED + 1])
        listed = joined(rows[:LISTED])
        is_curated = Document.objects.editable_by(request.user).filter(pk=shown.pk).exists()
    add_figures(shown, listed, with_citations=is_curated)
    return {
        "passages": listed,
        "earlier": max(0, first - LISTED) if first else None,
        "later": first + LISTED if len(rows) > LISTED else None,
    }


def _spans(request: HttpRequest) -> list[Span]:
    """What is asked for, in order; a span that holds nothing is left out."""
    found = [SPAN.fullmatch(value) for value in request.GET.getlist("at")[:MOST]]
    spans = [(int(match[1]), int(match[2])) for match in found if match]
    start, end = _number(request, "start"), _number(request, "end")
    if start is not None and end is not None:
        spans.insert(0, (start, end))
    return sorted({(start, end) for start, end in spans if start < end})


def _part(request: HttpRequest, parts: int) -> int:
    return min(max(1, _number(request, "part") or 1), parts) - 1


def _number(request: HttpRequest, name: str) -> int | None:
    value = request.GET.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 9 else None
