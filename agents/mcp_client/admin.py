"""The administration's pages of MCP servers: connect one, read what it offers, and decide."""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.callers import caller
from agents.mcp_client import services
from agents.mcp_client.leaving import forget_accounts
from agents.mcp_client.models import McpServer, McpTool
from agents.mcp_client.naming import is_address
from agents.mcp_client.pinning import State
from agents.mcp_client.shown import shown_tools

LONGEST_CALL = 600  # seconds


class McpServerForm(forms.ModelForm):  # type: ignore[type-arg]
    token = forms.CharField(
        label=_("Token"),
        required=False,
        strip=True,
        max_length=4000,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
    )

    timeout = forms.IntegerField(
        label=capfirst(_("time-out of a call, seconds")),
        min_value=1,
        max_value=LONGEST_CALL,
        initial=60,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "token" not in self.fields:
            return
        shown = services.token_hint(self.instance)
        self.fields["token"].help_text = (
            _("A token ending in %(end)s is stored. Leave empty to keep it.") % {"end": shown}
            if shown
            else _("No token is stored. It is kept encrypted and never shown again.")
        )

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        if not is_address(url):
            raise forms.ValidationError(
                _("An address like https://mcp.example.org/mcp, without a password.")
            )
        return url

    def clean(self) -> dict[str, Any]:
        """A stored token goes to the server it was entered for, as a key of an endpoint does."""
        data: dict[str, Any] = super().clean() or {}
        before, after = urlsplit(self.instance.url), urlsplit(data.get("url", ""))
        wants_token = data.get("auth") == McpServer.Auth.BEARER
        is_other = before[:2] != after[:2] or "auth" in self.changed_data
        if self.instance.secret and is_other and not data.get("token"):
            if wants_token:
                self.add_error("token", _("This is another server: enter its token."))
        elif wants_token and not self.instance.secret and not data.get("token"):
            self.add_error("token", _("Enter the token, or choose no authorization."))
        return data


@admin.register(McpServer)
class McpServerAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = McpServerForm
    change_form_template = "admin/agents/mcp_server.html"
    list_display = ("name", "url", "is_enabled", "open_count", "last_checked_at")
    list_filter = ("is_enabled", "is_for_everyone")
    search_fields = ("name", "url")
    autocomplete_fields = ("people", "teams")
    readonly_fields = ("last_checked_at", "last_error", "created_at")
    actions = ("refresh", "enable", "disable")
    fieldsets = (
        (None, {"fields": ("name", "url", "auth", "token", "client_id")}),
        (_("Who may use it"), {"fields": ("is_for_everyone", "teams", "people")}),
        (_("Service"), {"fields": ("is_enabled", "timeout")}),
        (_("State"), {"fields": ("last_checked_at", "last_error", "created_at")}),
    )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """With the servers that the operator has added to the file since."""
        try:
            services.keep_local_servers()
        except ImproperlyConfigured as error:
            self.message_user(request, str(error), messages.ERROR)
        return super().changelist_view(request, extra_context)

    def delete_model(self, request: HttpRequest, obj: McpServer) -> None:
        services.remove_server(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[McpServer]) -> None:
        for server in queryset:
            services.remove_server(server)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Where a program is and how it is started is the operator's to say."""
        first, *others = super().get_fieldsets(request, obj)
        is_local = obj is not None and obj.is_local
        return [(None, {"fields": ("name",)}), *others] if is_local else [first, *others]

    def get_queryset(self, request: HttpRequest) -> QuerySet[McpServer]:
        """With how many of its tools wait for a decision."""
        servers: QuerySet[McpServer] = super().get_queryset(request)
        open_: Any = McpTool.objects.filter(
            server=OuterRef("pk"), state__in=(State.NEW, State.CHANGED)
        )
        open_ = open_.order_by().values("server").annotate(n=Count("pk")).values("n")
        return servers.annotate(open_count=Coalesce(Subquery(open_), 0))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The names of its tools begin with its name, and agents know them by these."""
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "name") if obj is not None else fields

    def save_model(self, request: HttpRequest, obj: McpServer, form: Any, change: bool) -> None:
        moves = change and bool({"url", "auth"} & set(form.changed_data))
        if moves:
            forget_accounts(obj.accounts.all())
        super().save_model(request, obj, form, change)
        if not change:
            request.new_server = obj  # type: ignore[attr-defined]
        if change and "auth" in form.changed_data:  # a token is no secret of a client
            services.store_token(obj, "")
        if moves:
            services.forget_authorization(obj, keeps_client="client_id" in form.changed_data)
        if obj.auth == McpServer.Auth.NONE and obj.secret:
            services.store_token(obj, "")
        elif token := form.cleaned_data.get("token"):
            services.store_token(obj, token)

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        """What a new server offers is asked at once, behind the transaction, and on its page."""
        answer = super().changeform_view(request, *args, **options)
        server = getattr(request, "new_server", None)
        if server is None or answer.status_code != HTTPStatus.FOUND:
            return answer
        self._refresh(request, server)
        return redirect(reverse("admin:agents_mcpserver_change", args=[server.pk]))

    @admin.display(description=_("to be decided"), ordering="open_count")
    def open_count(self, server: Any) -> int:
        count: int = server.open_count
        return count

    @admin.action(description=_("Refresh"), permissions=["change"])
    def refresh(self, request: HttpRequest, queryset: QuerySet[McpServer]) -> None:
        for server in queryset:
            self._refresh(request, server)

    @admin.action(description=_("Enable"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[McpServer]) -> None:
        queryset.update(is_enabled=True)

    @admin.action(description=_("Disable"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[McpServer]) -> None:
        queryset.update(is_enabled=False)

    def _refresh(self, request: HttpRequest, server: McpServer) -> None:
        if trouble := services.refresh(server, by=caller(request)):
            self.message_user(request, f"{server}: {trouble}", messages.ERROR)
            return
        said = _("%(server)s offers %(count)s tools.")
        count = server.tools.exclude(state=State.GONE).count()
        self.message_user(request, said % {"server": server, "count": count}, messages.SUCCESS)

    # -- the page of one ------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        act = wrap(require_POST(self.act_view))
        decide = wrap(require_POST(self.decide_view))
        return [
            path("<uuid:pk>/act/", act, name="agents_mcpserver_act"),
            path("<uuid:pk>/decide/", decide, name="agents_mcpserver_decide"),
            *super().get_urls(),
        ]

    def act_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        server = self._server(request, pk)
        self._refresh(request, server)
        return redirect(reverse("admin:agents_mcpserver_change", args=[pk]))

    def decide_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Approve or reject the very definition that was on the page."""
        tools = self._server(request, pk).tools.all()
        tool = next((one for one in tools if str(one.pk) == request.POST.get("tool")), None)
        if tool is None:
            raise Http404
        pin, user = request.POST.get("pin", ""), caller(request)
        if request.POST.get("decision") == "approve":
            effect = request.POST.get("effect", "")
            if effect not in dict(McpTool._meta.get_field("effect").flatchoices):
                raise PermissionDenied
            is_done = services.approve(tool, pin, effect, by=user)
        else:
            is_done = services.reject(tool, pin, by=user)
        if not is_done:
            said = _("%(tool)s has changed in the meantime. Read it again.") % {"tool": tool}
            self.message_user(request, said, messages.WARNING)
        place = reverse("admin:agents_mcpserver_change", args=[pk])
        return redirect(f"{place}#{tool.pk}")

    def _server(self, request: HttpRequest, pk: UUID) -> McpServer:
        if not self.has_change_permission(request):
            raise PermissionDenied
        server = self.get_queryset(request).filter(pk=pk).first()
        if server is None:
            raise Http404
        return server

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **options: Any
    ) -> Any:
        if (server := options.get("obj")) is not None:
            context["tools"] = shown_tools(server)
            context["effects"] = McpTool._meta.get_field("effect").flatchoices
        return super().render_change_form(request, context, *args, **options)
