"""Endpoints: their key and limits, how they do right now, and what is done about it."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from gateway import services
from gateway.admin.base import RoutesAdmin
from gateway.admin.live import LiveChangeList, abilities, with_states
from gateway.admin.models import DeploymentInline
from gateway.label_fields import LabelsInput
from gateway.models import Deployment, Endpoint
from gateway.routing import state

FOLLOWED = 100  # endpoints whose state one request tells


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]
    api_key = forms.CharField(
        label=_("Key"),
        required=False,
        strip=True,
        max_length=500,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
    )
    remove_key = forms.BooleanField(label=_("Remove the stored key"), required=False)
    labels = LabelsInput(
        label=capfirst(_("labels")),
        help_text=_(
            "Where it is and what it may see, as “eu, confidential”. What demands a label never "
            "leaves the endpoints that have it."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "api_key" not in self.fields:
            return
        shown = services.key_hint(self.instance)
        self.fields["api_key"].help_text = (
            _("A key ending in %(end)s is stored. Leave empty to keep it.") % {"end": shown}
            if shown
            else _("No key is stored. It is kept encrypted and never shown again.")
        )

    def clean(self) -> dict[str, Any]:
        """A stored key goes to the server it was entered for: otherwise whoever may change an
        address could have it sent to them."""
        data: dict[str, Any] = super().clean() or {}
        before, after = urlsplit(self.instance.base_url), urlsplit(data.get("base_url", ""))
        is_decided = data.get("api_key") or data.get("remove_key")
        if self.instance.secret and before[:2] != after[:2] and not is_decided:
            self.add_error("api_key", _("This is another server: enter its key, or remove the "
                "stored one."))  # fmt: skip
        return data


@admin.register(Endpoint)
class EndpointAdmin(RoutesAdmin):
    form = EndpointForm
    change_list_template = "admin/gateway/endpoints.html"
    change_form_template = "admin/gateway/endpoint.html"
    list_display = ("name", "live", "labelled", "deployment_count", "has_key", "last_checked_at")
    list_filter = ("is_enabled", "is_draining")
    search_fields = ("name", "base_url")
    readonly_fields = ("last_checked_at", "last_error", "created_at")
    inlines = (DeploymentInline,)
    actions = ("test_connection", "drain", "stop_draining", "reset_breaker", "enable", "disable")
    fieldsets = (
        (None, {"fields": ("name", "base_url", "api_key", "remove_key", "labels")}),
        (_("Service"), {"fields": ("is_enabled", "is_draining")}),
        (
            _("Limits"),
            {
                "fields": (
                    "max_concurrency", "queue_timeout", "connect_timeout", "first_token_timeout",
                    "idle_timeout", "total_timeout",
                )
            },
        ),
        (_("State"), {"fields": ("last_checked_at", "last_error", "created_at")}),
    )  # fmt: skip

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Without a key there is none to remove."""
        (_title, first), *others = super().get_fieldsets(request, obj)
        if obj is None or not obj.secret:
            first = first | {"fields": [name for name in first["fields"] if name != "remove_key"]}
        return [(None, first), *others]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return LiveChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Endpoint]:
        endpoints: QuerySet[Endpoint] = super().get_queryset(request)
        enabled: Any = Deployment.objects.filter(endpoint=OuterRef("pk"), is_enabled=True)
        enabled = enabled.order_by().values("endpoint").annotate(n=Count("pk")).values("n")
        return endpoints.annotate(deployment_count=Coalesce(Subquery(enabled), 0))

    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.cleaned_data.get("remove_key"):
            services.store_key(obj, "")
        elif api_key := form.cleaned_data.get("api_key"):
            services.store_key(obj, api_key)

    # -- the list -------------------------------------------------------------------------------

    @admin.display(description=_("right now"))
    def live(self, endpoint: Any) -> str:
        return render_to_string("admin/gateway/_live.html", {"endpoint": endpoint})

    @admin.display(description=_("labels"))
    def labelled(self, endpoint: Endpoint) -> str:
        return ", ".join(endpoint.labels)

    @admin.display(description=_("models"), ordering="deployment_count")
    def deployment_count(self, endpoint: Any) -> int:
        count: int = endpoint.deployment_count
        return count

    @admin.display(description=_("key"), boolean=True)
    def has_key(self, endpoint: Endpoint) -> bool:
        return bool(endpoint.secret)

    @admin.action(description=_("Test connection"), permissions=["change"])
    def test_connection(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        for endpoint in queryset:
            result = services.check_endpoint(endpoint)
            level = messages.SUCCESS if result.ok else messages.ERROR
            self.message_user(
                request, f"{endpoint}: {result.message} ({result.latency_ms} ms)", level
            )

    @admin.action(description=_("Drain"), permissions=["change"])
    def drain(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        said = _("%(count)s finish what they have and get nothing new.")
        chosen = list(queryset.values_list("pk", flat=True))
        self._switch(request, queryset, said, is_draining=True)
        if alone := services.models_left_alone(chosen):
            said = _("Nothing else serves %(models)s: the default model answers in its place.")
            names = ", ".join(alone)
            self.message_user(request, said % {"models": names}, messages.WARNING)

    @admin.action(description=_("Stop draining"), permissions=["change"])
    def stop_draining(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        self._switch(request, queryset, _("%(count)s are asked again."), is_draining=False)

    @admin.action(description=_("Reset breaker"), permissions=["change"])
    def reset_breaker(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        for endpoint in queryset:
            state.reset(endpoint.pk)
        said = _("%(count)s are asked again; their averages begin anew.")
        self.message_user(request, said % {"count": len(queryset)}, messages.SUCCESS)

    # -- the page of one ------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("live/", wrap(self.live_view), name="gateway_endpoint_live"),
            path("<uuid:pk>/act/", wrap(require_POST(self.act_view)), name="gateway_endpoint_act"),
            *super().get_urls(),
        ]

    def live_view(self, request: HttpRequest) -> HttpResponse:
        """The states of the endpoints that are asked for, as they stand on the list; of one, as on
        its page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        ids = [pk for value in request.GET.getlist("id")[:FOLLOWED] if (pk := _uuid(value))]
        endpoints = with_states(self.get_queryset(request).filter(pk__in=ids))
        is_one = "whole" in request.GET and len(endpoints) == 1
        shown = {"endpoints": endpoints, "part": "_state.html" if is_one else "_live.html"}
        return render(request, "admin/gateway/_live_all.html", shown)

    def act_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """One of the actions, from the page of the endpoint."""
        found = self.get_queryset(request).filter(pk=pk)
        name = request.POST.get("act", "")
        if not self.has_change_permission(request) or name not in self.actions:
            raise PermissionDenied
        if not found:
            raise Http404
        getattr(self, name)(request, found)
        self.log_change(request, found[0], [{"changed": {"fields": [name]}}])
        return redirect(reverse("admin:gateway_endpoint_change", args=[pk]))

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **options: Any
    ) -> Any:
        if (endpoint := options.get("obj")) is not None:
            (context["endpoint"],) = with_states([endpoint])
            deployments = endpoint.deployments.select_related("model").order_by("model__name")
            context["deployments"] = [(row, abilities(row)) for row in deployments]
        return super().render_change_form(request, context, *args, **options)


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
