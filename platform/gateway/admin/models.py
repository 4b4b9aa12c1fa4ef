"""Models, who serves them, and who would answer now."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from gateway.admin.base import RoutesAdmin
from gateway.admin.fields import CapabilitiesField
from gateway.admin.prices import PriceListsAdmin
from gateway.metering.prices import told
from gateway.models import Deployment, Model
from gateway.routing.preview import order_now
from security.admin_rows import NamedRows

SHOWN_PRICES = 50
EXPLAINED = {
    Model.Strategy.PRIORITY: _(
        "The lowest priority number is asked first; the others follow when it fails."
    ),
    Model.Strategy.WEIGHTED: _(
        "Drawn at random by weight for every request; the others follow when it fails."
    ),
    Model.Strategy.LEAST_BUSY: _(
        "The one with the smallest share of its parallel requests in use is asked first."
    ),
    Model.Strategy.FASTEST: _(
        "Of two drawn at random the faster is asked: by the wait for the first word and the tokens "
        "a second of late."
    ),
    Model.Strategy.CHEAPEST: _(
        "The lowest price of this request is asked first, among those whose context is long enough."
    ),
}


class DeploymentInline(admin.TabularInline):  # type: ignore[type-arg]
    formset = NamedRows
    model = Deployment
    extra = 0
    autocomplete_fields = ("model", "endpoint")
    fields = (
        "model", "endpoint", "upstream_name", "priority", "weight", "prompt_price",
        "completion_price", "is_enabled",
    )  # fmt: skip
    show_change_link = True


class ModelForm(forms.ModelForm):  # type: ignore[type-arg]
    def _get_validation_exclusions(self) -> set[str]:
        # A new default replaces the old one instead of being refused beside it.
        exclusions: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return exclusions | {"is_default"}


@admin.register(Model)
class ModelAdmin(RoutesAdmin):
    form = ModelForm
    change_form_template = "admin/gateway/model.html"
    list_display = (
        "name", "kind", "is_default", "strategy", "has_vision", "endpoints", "context_length",
        "dimensions",
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

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **options: Any
    ) -> Any:
        if (model := options.get("obj")) is not None:
            context["order"], context["why"] = order_now(model)
            context["explained"] = EXPLAINED[model.strategy]
        return super().render_change_form(request, context, *args, **options)

    @admin.display(description=_("endpoints"))
    def endpoints(self, model: Model) -> str:
        return ", ".join(
            deployment.endpoint.name
            for deployment in model.deployments.all()
            if deployment.is_enabled
        )


class DeploymentForm(forms.ModelForm):  # type: ignore[type-arg]
    capabilities = CapabilitiesField(
        help_text=_("“Test connection” of the endpoint finds them out; correct it here.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "capabilities" in self.fields:
            widget: Any = self.fields["capabilities"].widget
            widget.probed = self.instance.probed

        if "currency" in self.fields:
            self.fields["currency"].required = False

    def clean_currency(self) -> str:
        return self.cleaned_data["currency"] or str(Deployment._meta.get_field("currency").default)

    def clean_extra_body(self) -> Any:
        body = self.cleaned_data["extra_body"] or {}
        if not isinstance(body, dict):
            raise forms.ValidationError(_('An object, as {"top_k": 40}.'))
        return body


@admin.register(Deployment)
class DeploymentAdmin(PriceListsAdmin, RoutesAdmin):
    form = DeploymentForm
    change_form_template = "admin/gateway/deployment.html"
    change_list_template = "admin/gateway/deployments.html"
    list_display = ("model", "endpoint", "upstream_name", "priority", "weight", "prices",
        "is_enabled")  # fmt: skip
    list_filter = ("is_enabled", "endpoint")
    list_select_related = ("model", "endpoint")
    search_fields = ("model__name", "endpoint__name", "upstream_name")
    autocomplete_fields = ("model", "endpoint")
    actions = ("enable", "disable")
    fieldsets = (
        (None, {"fields": ("model", "endpoint", "upstream_name", "is_enabled")}),
        (_("When it is asked"), {"fields": ("priority", "weight", "context_length")}),
        (
            _("Price"),
            {
                "fields": (
                    ("prompt_price", "completion_price"),
                    ("cached_price", "cache_write_price"),
                    ("request_price", "currency"),
                )
            },
        ),
        (_("What it can do"), {"fields": ("capabilities", "extra_body")}),
    )

    @admin.display(description=_("price"))
    def prices(self, deployment: Deployment) -> str:
        prices = (deployment.prompt_price, deployment.completion_price)
        known = [format(price.normalize(), "f") for price in prices if price is not None]
        told = " / ".join(known) if len(known) == len(prices) else ""
        return f"{told} {deployment.currency}" if told else "–"

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **options: Any
    ) -> Any:
        if (deployment := options.get("obj")) is not None:
            context["price_history"] = [
                (price.valid_from, told(vars(price)))
                for price in deployment.price_history.all()[:SHOWN_PRICES]
            ]
        return super().render_change_form(request, context, *args, **options)
