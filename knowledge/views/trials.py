"""The search test with two settings side by side, and what is kept of it as a golden question."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.callers import caller
from accounts.limits import spend_for
from accounts.models import User
from gateway.embedding.embedder import EmbedderUnavailable
from gateway.errors import GatewayError
from gateway.labels import LabelUnmet
from knowledge import viewers
from knowledge.forms import SearchForm
from knowledge.models import Chunk, Collection, GoldenQuestion
from knowledge.quality.errors import QuestionRefused
from knowledge.quality.services import LONGEST_QUOTE, Expectation, add_question
from knowledge.trials.comparing import Asking, Side, in_both, try_setting
from knowledge.trials.comparing import compare as side_by_side
from knowledge.trials.settings import SIDES, SettingForm
from security.rate_limits import Action

MOST_EXPECTED = 20
MOST_HOMES = 50


@require_GET
@login_required
def compare(request: HttpRequest) -> HttpResponse:
    """Two forms of settings and, once there is a question, what each finds; the results alone for
    htmx."""
    user = caller(request)
    form = SearchForm(user, request.GET)
    forms = [SettingForm(side, request.GET) for side in SIDES]
    asked = request.GET.get("q", "").strip()
    who = request.GET.get("as", "")
    context: dict[str, Any] = {
        "query": asked,
        "forms": forms,
        "collections": Collection.objects.visible_to(user),
        "chosen": set(request.GET.getlist("collection")),
        "faces": viewers.list_faces(user),
        "as": who,
    }
    eyes = viewers.find_eyes(user, who) if who else None
    if asked and form.is_valid() and all(one.is_valid() for one in forms):
        spend_for(request, Action.SEARCHES)
        chosen = [collection.pk for collection in form.cleaned_data["collection"]]
        asking = Asking(user, eyes, chosen or None)
        person = eyes if isinstance(eyes, User) else None
        context |= _sides(asking, form.cleaned_data["q"], forms)
        context |= {"eyes": eyes, "person": person}
    is_partial = "HX-Request" in request.headers
    name = "knowledge/_trial.html" if is_partial else "knowledge/compare.html"
    return render(request, name, context)


@require_POST
@login_required
def save_golden(request: HttpRequest) -> HttpResponse:
    """The question with the ticked passages, or with nothing to be found, for one collection."""
    user = caller(request)
    asked = request.POST
    collection = get_object_or_404(
        Collection.objects.visible_to(user), pk=_uuid(asked.get("collection", ""))
    )
    is_nothing = asked.get("expects") == "nothing"
    expected = [] if is_nothing else _expected(user, collection, asked)
    try:
        made = add_question(
            user,
            collection,
            asked.get("q", ""),
            expected=expected,
            must_find_nothing=is_nothing,
            origin=GoldenQuestion.Origin.SEARCH,
        )
    except QuestionRefused as refusal:
        messages.error(request, str(refusal))
    else:
        is_counted = made.state == GoldenQuestion.State.ACCEPTED
        kept = _("Kept as a golden question.")
        messages.success(request, kept if is_counted else _("Proposed as a golden question."))
    back = QueryDict(asked.get("back", ""), mutable=True)
    return redirect(f"{reverse('knowledge:compare')}?{back.urlencode()}")


def _sides(asking: Asking, query: str, forms: list[SettingForm]) -> dict[str, Any]:
    if asking.eyes is not None:
        viewers.record_look(asking.eyes, None)
    sides: list[Side] = []
    try:
        sides = [try_setting(asking, query, one.to_setting()) for one in forms]
    except (GatewayError, EmbedderUnavailable, LabelUnmet) as error:
        return {"trouble": str(error)}
    first, second = side_by_side(*sides)
    homes = {hit.passage.collection_id for side in (first, second) for hit in side.hits}
    return {
        "sides": [first, second],
        "in_both": in_both(first, second),
        "golden_homes": _homes(asking, homes),
    }


def _homes(asking: Asking, found: set[UUID]) -> list[Collection]:
    """For which collections the question may be kept: what was chosen, or what has a passage;
    where nothing was found, any that this person edits."""
    wanted = found.union(asking.collections or ())
    if not wanted:
        return list(Collection.objects.editable_by(asking.user).order_by("name")[:MOST_HOMES])
    visible = Collection.objects.visible_to(asking.user).filter(pk__in=wanted)
    return list(visible.order_by("name"))


def _expected(user: User, collection: Collection, asked: QueryDict) -> list[Expectation]:
    """The ticked passages of this collection, in their words."""
    ticked = [_uuid(value) for value in asked.getlist("passage")[:MOST_EXPECTED]]
    chunks = Chunk.objects.visible_to(user).filter(pk__in=ticked, document__collection=collection)
    return [
        Expectation(chunk.document_id, chunk.text[:LONGEST_QUOTE], chunk.start)
        for chunk in chunks.defer("terms", "bm25").order_by("document", "position")
    ]


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
