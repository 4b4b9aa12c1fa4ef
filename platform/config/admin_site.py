from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib.admin import AdminSite, ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from config.dashboard import dashboard
from config.field_names import name_columns
from security.audited_admin import AuditedAdmin
from security.lists import FastList


class PlainWords:
    """A list is headed by what is in it and a page by what it shows: no “Select … to change”."""

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = super().get_list_display(request)  # type: ignore[misc]
        return name_columns(self.model, shown)  # type: ignore[attr-defined]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        plural = capfirst(self.opts.verbose_name_plural)  # type: ignore[attr-defined]
        context = {"title": plural, **(extra_context or {})}
        answer: HttpResponse = super().changelist_view(request, context)  # type: ignore[misc]
        return answer

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {"title": capfirst(self.opts.verbose_name), **(extra_context or {})}  # type: ignore[attr-defined]
        shown: HttpResponse = super().change_view(request, object_id, form_url, context)  # type: ignore[misc]
        return shown


# The rooms of the house in the order an administrator thinks of them.
ORDER = ["accounts", "knowledge", "agents", "chat", "gateway", "events", "security", "auth"]


class ParleyAdminSite(AdminSite):
    site_title = _("Parley administration")
    site_header = _("Parley administration")
    index_title = _("Overview")

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """The dashboard, with the list of everything below it."""
        shown = dashboard(request.GET.get("days", ""))
        return super().index(request, {**shown, **(extra_context or {})})

    def register(
        self, model_or_iterable: Any, admin_class: type[Any] | None = None, **options: Any
    ) -> None:
        """Whatever page is registered: its list is fast, and what is done on it is audited."""
        page = admin_class or ModelAdmin
        audited = type(
            page.__name__,
            (AuditedAdmin, FastList, PlainWords, page),
            {"__module__": page.__module__},
        )
        super().register(model_or_iterable, audited, **options)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        apps = super().get_app_list(request, app_label)
        return sorted(apps, key=lambda app: [*ORDER, app["app_label"]].index(app["app_label"]))

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One door for everybody, with its rate limits: people without rights here get a 403."""
        response: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return response
