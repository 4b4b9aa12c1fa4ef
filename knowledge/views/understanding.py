"""How questions to a collection are understood: its switches and its glossary, for its editors."""

from collections.abc import Mapping
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.callers import caller
from accounts.limits import spend_for
from knowledge.glossary import selectors, services, tables
from knowledge.glossary.api import as_file
from knowledge.glossary.errors import GlossaryRefused
from knowledge.glossary.services import Imported
from knowledge.models import Collection, GlossaryEntry
from knowledge.quality import gate
from knowledge.quality.comparing import Change
from knowledge.quality.errors import ChangeHeld
from knowledge.services import update_collection
from knowledge.switch_fields import SwitchesInput
from knowledge.switches import Switch
from knowledge.views.collections import collection_context
from security.paging import InvalidCursor, paginate
from security.rate_limits import Action

PAGE_SIZE = 50
REFUSED_SHOWN = 5
WORDS = gettext_lazy("Words for one thing, separated by commas")


class SwitchesForm(forms.Form):
    understanding = SwitchesInput(label=gettext_lazy("Understanding questions"))


class EntryForm(forms.Form):
    terms = forms.CharField(label=WORDS, max_length=1_200)

    def words(self) -> list[str]:
        said: str = self.cleaned_data["terms"]
        for comma in "，、;；":
            said = said.replace(comma, ",")
        return said.split(",")


@require_GET
@login_required
def understanding(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    """To anybody but its editors it is not there."""
    return _page(request, _find(request, collection_id))


def _page(
    request: HttpRequest,
    collection: Collection,
    switches: SwitchesForm | None = None,
    entry: EntryForm | None = None,
    *,
    is_held: bool = False,
) -> HttpResponse:
    """`is_held`: the switches are as somebody wants them, and the gate keeps them from it."""
    words = request.GET.get("q", "")[:200]
    rows = selectors.list_entries(caller(request), collection, words)
    try:
        page = paginate(rows, ["-id"], request.GET.get("cursor"), PAGE_SIZE)
    except InvalidCursor:
        page = paginate(rows, ["-id"], None, PAGE_SIZE)
    context = collection_context(request, collection.pk) | {
        "switches": switches or SwitchesForm(initial={"understanding": collection.understanding}),
        "is_held": is_held,
        "form": entry or EntryForm(),
        "is_understanding": True,
        "entries": [(row, ", ".join(row.terms)) for row in page.items],
        "next": page.next,
        "words": words,
        "total": collection.glossary.count(),
    }
    return render(request, "knowledge/understanding.html", context)


@require_POST
@login_required
def switch(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    """What is newly switched on is tried on the golden questions first; `force` does not wait for
    them, nor for what they say."""
    collection = _find(request, collection_id)
    form = SwitchesForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data["understanding"]
        is_forced = request.POST.get("force") == "1"
        try:
            changes = gate.check_switches(collection, said, caller(request), is_forced=is_forced)
        except ChangeHeld as held:
            messages.error(request, str(held))
            return _page(request, collection, form, is_held=True)
        update_collection(
            collection,
            name=collection.name,
            description=collection.description,
            understanding={one: said.get(one.value) for one in Switch},
        )
        messages.success(request, _said_of(changes))
    return redirect("knowledge:understanding", collection_id)


@require_POST
@login_required
def add_entry(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    """What is refused stands in its field still, with the reason."""
    collection = _find(request, collection_id)
    form = EntryForm(request.POST)
    if form.is_valid():
        try:
            services.put_entry(collection, form.words())
        except GlossaryRefused as error:
            form.add_error("terms", str(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("knowledge:understanding", collection_id)
    return _page(request, collection, entry=form)


@require_POST
@login_required
def change_entry(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """Changes an entry, or deletes it where the button says so."""
    entry = get_object_or_404(GlossaryEntry.objects.editable_by(request.user), pk=entry_id)
    form = EntryForm(request.POST)
    if "delete" in request.POST:
        entry.delete()
        messages.success(request, _("The entry is deleted."))
    elif form.is_valid():
        try:
            services.change_entry(entry, form.words())
            messages.success(request, _("Saved."))
        except GlossaryRefused as error:
            messages.error(request, str(error))
    return redirect("knowledge:understanding", entry.collection_id)


@require_POST
@login_required
def import_entries(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    spend_for(request, Action.UPLOADS)
    collection = _find(request, collection_id)
    file = request.FILES.get("file")
    data = file.read(tables.MOST_BYTES + 1) if file else b""
    try:
        found = services.import_entries(collection, tables.read_rows(data))
    except GlossaryRefused as error:
        messages.error(request, str(error))
    else:
        _tell(request, found)
    return redirect("knowledge:understanding", collection_id)


@require_GET
@login_required
def export_entries(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    collection = _find(request, collection_id)
    return as_file("".join(tables.write_rows(selectors.list_entries(caller(request), collection))))


def _find(request: HttpRequest, collection_id: UUID) -> Collection:
    found: Collection = get_object_or_404(
        Collection.objects.editable_by(request.user), pk=collection_id
    )
    return found


def _said_of(changes: Mapping[str, Change]) -> str:
    """That it is saved, and what golden questions gain by it."""
    change = changes.get("ndcg")
    if change is None:
        return _("Saved.")
    text = (
        _("Saved. Golden questions gain by it: %(delta)s nDCG (%(low)s to %(high)s; %(n)d asked).")
        if change.gains
        else _("Saved. It makes no sure difference for %(n)d golden questions: %(delta)s nDCG "
               "(%(low)s to %(high)s).")
    )  # fmt: skip
    return text % gate.figures_of(change)


def _tell(request: HttpRequest, found: Imported) -> None:
    count = found.added + found.changed
    text = ngettext("%d entry came in.", "%d entries came in.", count) % count
    if found.same:
        there = ngettext("%d was there already.", "%d were there already.", found.same)
        text += " " + there % found.same
    messages.success(request, text)
    for line, reason in found.refused[:REFUSED_SHOWN]:
        said = _("Line %(line)d is left out: %(reason)s") % {"line": line, "reason": reason}
        messages.warning(request, said)
    if (more := len(found.refused) - REFUSED_SHOWN) > 0:
        messages.warning(
            request,
            ngettext("%d more line is left out.", "%d more lines are left out.", more) % more,
        )
