"""Price lists in the browser: a file, what it would change, and taking that over."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from gateway.metering.price_lists import (
    LARGEST_FILE,
    Change,
    NoPriceList,
    compare,
    read_list,
    take_over,
)
from gateway.models import Deployment

SALT = "gateway.prices"
SECONDS = 3600  # that a preview can be taken over


class PriceListForm(forms.Form):
    file = forms.FileField(
        label=_("Price list"),
        help_text=_(
            "LiteLLM's model_prices_and_context_window.json, or CSV with the columns model, "
            "prompt, completion and, as you like, endpoint, cached, cache_write, request, "
            "currency: prices of a million tokens."
        ),
    )

    def clean_file(self) -> Any:
        try:
            return read_list(self.cleaned_data["file"].read(LARGEST_FILE + 1))
        except NoPriceList as error:
            raise forms.ValidationError(str(error)) from error


class PriceListsAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The page at `prices/` of the deployments."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.prices_view)
        return [path("prices/", view, name="gateway_deployment_prices"), *super().get_urls()]

    def prices_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        if "taken" in request.POST:
            return self._take_over(request, request.POST["taken"])
        form = PriceListForm(request.POST or None, request.FILES or None)
        context: dict[str, Any] = {"title": _("Prices from a list"), "form": form}
        if request.method == "POST" and form.is_valid():
            deployments = Deployment.objects.select_related("model", "endpoint")
            found = compare(form.cleaned_data["file"], deployments)
            context |= {"found": found, "taken": _sealed(found.changes)}
        context |= self.admin_site.each_context(request) | {"opts": self.opts}
        return TemplateResponse(request, "admin/gateway/prices.html", context)

    def _take_over(self, request: HttpRequest, sealed: str) -> HttpResponse:
        """What the preview showed, and nothing else: it came with our signature."""
        try:
            changes = _opened(signing.loads(sealed, salt=SALT, max_age=SECONDS))
        except signing.BadSignature:
            self.message_user(request, _("Show the list once more."), messages.WARNING)
        else:
            count = take_over(changes)
            said = ngettext("%(count)s price changed.", "%(count)s prices changed.", count)
            self.message_user(request, said % {"count": count}, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:gateway_deployment_changelist"))


def _sealed(changes: Iterable[Change]) -> str:
    told = {
        str(change.deployment.pk): {
            name: value if value is None else str(value) for name, value in change.after.items()
        }
        for change in changes
    }
    return signing.dumps(told, salt=SALT, compress=True)


def _opened(told: dict[str, dict[str, str | None]]) -> list[Change]:
    found = Deployment.objects.in_bulk([UUID(pk) for pk in told])
    return [
        Change(found[UUID(pk)], {name: _read(name, value) for name, value in after.items()})
        for pk, after in told.items()
        if UUID(pk) in found
    ]


def _read(name: str, value: str | None) -> Decimal | str | None:
    return value if value is None or name == "currency" else Decimal(value)
