from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from gateway import services
from gateway.models import Deployment, Endpoint, Model, Usage
from gateway.routing.routes import forget_routes
from security.lists import AgeFilter, KnownValues
from security.records import LogAdmin


class RoutesAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Every change takes effect with the next request to a model."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        forget_routes()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        forget_routes()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().delete_queryset(request, queryset)
        forget_routes()

    @admin.action(description=_("Enable"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._switch(request, queryset, is_enabled=True)

    @admin.action(description=_("Disable"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._switch(request, queryset, is_enabled=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Any], *, is_enabled: bool) -> None:
        count = queryset.update(is_enabled=is_enabled)
        forget_routes()
        text = _("%(count)s enabled.") if is_enabled else _("%(count)s disabled.")
        self.message_user(request, text % {"count": count}, messages.SUCCESS)


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]
    api_key = forms.CharField(
        label=_("Key"),
        required=False,
        strip=True,
        max_length=500,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
    )
    remove_key = forms.BooleanField(label=_("Remove the stored key"), required=False)

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


class DeploymentInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Deployment
    extra = 0
    autocomplete_fields = ("model", "endpoint")


@admin.register(Endpoint)
class EndpointAdmin(RoutesAdmin):
    form = EndpointForm
    list_display = (
        "name", "base_url", "is_enabled", "deployment_count", "has_key", "last_checked_at",
        "last_error",
    )  # fmt: skip
    list_filter = ("is_enabled",)
    search_fields = ("name", "base_url")
    readonly_fields = ("last_checked_at", "last_error", "created_at")
    inlines = (DeploymentInline,)
    actions = ("test_connection", "enable", "disable")
    fieldsets = (
        (None, {"fields": ("name", "base_url", "api_key", "remove_key", "is_enabled")}),
        (
            _("Limits"),
            {
                "fields": (
                    "max_concurrency", "connect_timeout", "first_token_timeout", "idle_timeout",
                )
            },
        ),
        (_("State"), {"fields": ("last_checked_at", "last_error", "created_at")}),
    )  # fmt: skip

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


class ModelForm(forms.ModelForm):  # type: ignore[type-arg]
    def _get_validation_exclusions(self) -> set[str]:
        # A new default replaces the old one instead of being refused beside it.
        exclusions: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return exclusions | {"is_default"}


@admin.register(Model)
class ModelAdmin(RoutesAdmin):
    form = ModelForm
    list_display = (
        "name", "kind", "is_default", "has_vision", "endpoints", "context_length", "dimensions",
    )  # fmt: skip
    list_filter = ("kind", "is_default", "has_vision")
    search_fields = ("name",)
    inlines = (DeploymentInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        models: QuerySet[Model] = super().get_queryset(request)
        return models.prefetch_related("deployments__endpoint")

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        if obj.is_default:
            others = Model.objects.filter(kind=obj.kind, is_default=True).exclude(pk=obj.pk)
            others.update(is_default=False)
        super().save_model(request, obj, form, change)

    @admin.display(description=_("endpoints"))
    def endpoints(self, model: Model) -> str:
        return ", ".join(
            deployment.endpoint.name
            for deployment in model.deployments.all()
            if deployment.is_enabled
        )


@admin.register(Deployment)
class DeploymentAdmin(RoutesAdmin):
    list_display = ("model", "endpoint", "upstream_name", "priority", "is_enabled")
    list_filter = ("is_enabled", "endpoint")
    list_select_related = ("model", "endpoint")
    search_fields = ("model__name", "endpoint__name", "upstream_name")
    autocomplete_fields = ("model", "endpoint")
    actions = ("enable", "disable")


class UsedModel(KnownValues):
    title = _("model")
    parameter_name = field = "model_name"

    def known(self) -> list[tuple[str, Any]]:
        return [(name, name) for name in Model.objects.values_list("name", flat=True)]


class UsedEndpoint(KnownValues):
    title = _("endpoint")
    parameter_name = field = "endpoint_name"

    def known(self) -> list[tuple[str, Any]]:
        return [(name, name) for name in Endpoint.objects.values_list("name", flat=True)]


class OutcomeFilter(admin.SimpleListFilter):
    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("completed", _("completed")), ("other", _("not completed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Usage]) -> QuerySet[Usage]:
        if self.value() == "completed":
            return queryset.filter(outcome="completed")
        return queryset.exclude(outcome="completed") if self.value() else queryset


@admin.register(Usage)
class UsageAdmin(LogAdmin):
    list_display = (
        "created_at", "model_name", "endpoint_name", "outcome", "prompt_tokens",
        "completion_tokens", "first_token_ms", "total_ms",
    )  # fmt: skip
    list_filter = (OutcomeFilter, UsedModel, UsedEndpoint, AgeFilter)
    exact_fields = ("id", "turn_id", "account_id")
    search_help_text = _("The id of a turn or of a person.")
