from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Count, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import services, tokens
from accounts.admin_forms import GrantForm, NewUserForm, UserForm
from accounts.budgets import admin as budgets_admin
from accounts.departures import delete_user
from accounts.invitations import send_password_link, set_generated_password
from accounts.models import ApiToken, Grant, Membership, Team, User
from security.admin_rows import NamedRows
from security.lists import KnownValues
from security.records import DeletedWhole, RecordAdmin, RecordInline

__all__ = ["budgets_admin"]
RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")

admin.site.unregister(Group)
# Another address on somebody's account is another way in; nobody adds one here.
admin.site.unregister(EmailAddress)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin):
    """What kinds of rows administrators who are not superusers may work on."""


class LanguageFilter(KnownValues):
    title = _("language")
    parameter_name = field = "language"

    def known(self) -> list[tuple[str, Any]]:
        return list(settings.LANGUAGES)


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]  # not generic at run time
    formset = NamedRows
    model = Membership
    extra = 0
    autocomplete_fields = ("team", "user")


class TokenInline(RecordInline):
    model = ApiToken
    fields = ("name", "prefix", "scopes", "expires_at", "last_used_at", "revoked_at")
    readonly_fields = fields


@admin.register(User)
class UserAdmin(DeletedWhole, DjangoUserAdmin):  # type: ignore[type-arg]
    form = UserForm
    add_form = NewUserForm
    add_form_template = None
    list_display = (
        "email",
        "name",
        "is_active",
        "is_staff",
        "is_superuser",
        "team_names",
        "last_login",
    )
    list_filter = ("is_active", "is_staff", "is_superuser", "teams", LanguageFilter)
    exact_fields = ("id",)
    search_fields = ("email", "name")
    ordering = ("email",)
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ("groups", "user_permissions")
    inlines = (MembershipInline, TokenInline)
    actions = ("enable", "disable", "send_links")
    fieldsets = (
        (None, {"fields": ("email", "password", "name", "language", "theme")}),
        (_("Rights"), {"fields": ("is_active", *RIGHTS)}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "name", "language", "is_staff", "is_superuser", "entrance")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        users: QuerySet[User] = super().get_queryset(request)
        return users.prefetch_related("teams")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if _is_superuser(request) else (*fields, *RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody but a superuser changes a superuser: it would be a way to become one."""
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change:
            services.forget_other_addresses(obj)
            if "is_active" in form.changed_data and not obj.is_active:
                services.disable(obj)
            return
        if form.cleaned_data["entrance"] == NewUserForm.EMAIL:
            send_password_link(obj, request)
            text = _("A link to choose a password was sent to %(email)s.") % {"email": obj.email}
        else:
            text = _("The password of %(email)s is %(password)s – it is shown only now.") % {
                "email": obj.email,
                "password": set_generated_password(obj),
            }
        self.message_user(request, text, messages.SUCCESS)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        delete_user(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            delete_user(user)

    @admin.display(description=_("teams"))
    def team_names(self, user: User) -> str:
        return ", ".join(team.name for team in user.teams.all())

    @admin.action(description=_("Enable"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        people = [user for user in queryset if _may_touch(request, user)]
        for user in people:
            services.enable(user)
        self._report(request, _("%(count)s enabled."), len(people))

    @admin.action(description=_("Disable"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Not oneself: the last administrator must not lock the door from outside."""
        people = [user for user in queryset if user != request.user and _may_touch(request, user)]
        for user in people:
            services.disable(user)
        self._report(request, _("%(count)s disabled; all they are signed in with is refused."),
            len(people))  # fmt: skip

    @admin.action(description=_("Send a link to choose a password"), permissions=["change"])
    def send_links(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        people = [user for user in queryset.filter(is_active=True) if _may_touch(request, user)]
        for user in people:
            send_password_link(user, request)
        self._report(request, _("%(count)s links sent."), len(people))

    def _report(self, request: HttpRequest, text: Any, count: int) -> None:
        self.message_user(request, text % {"count": count}, messages.SUCCESS)


@admin.register(Team)
class TeamAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("called", "member_count", "is_everyone", "created_at")
    search_fields = ("name",)
    readonly_fields = ("is_everyone", "created_at")
    inlines = (MembershipInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        teams: QuerySet[Team] = super().get_queryset(request)
        counted: Any = Membership.objects.filter(team=OuterRef("pk")).order_by().values("team")
        counted = counted.annotate(n=Count("pk")).values("n")
        return teams.annotate(member_count=Coalesce(Subquery(counted), 0))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        is_everyone = isinstance(obj, Team) and obj.is_everyone
        return super().has_delete_permission(request, obj) and not is_everyone

    @admin.display(description=_("name"), ordering="name")
    def called(self, team: Team) -> str:
        return str(team)

    @admin.display(description=_("members"), ordering="member_count")
    def member_count(self, team: Any) -> str:
        return str(_("every active user") if team.is_everyone else team.member_count)


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("team", "user", "role")
    list_filter = ("role", "team")
    list_select_related = ("team", "user")
    search_fields = ("team__name", "user__email", "user__name")
    autocomplete_fields = ("team", "user")


@admin.register(Grant)
class GrantAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = GrantForm
    list_display = ("kind", "object_id", "role", "user", "team", "created_at")
    list_filter = ("kind", "role", "team")
    list_select_related = ("team", "user")
    exact_fields = ("id", "object_id", "user", "team")
    search_fields = ("user__email", "team__name")
    search_help_text = _("The id of what is shared, an e-mail address or a team.")
    ordering = ("-pk",)
    sortable_by = ()  # any other order would have to look at all of them
    autocomplete_fields = ("team", "user")


@admin.register(ApiToken)
class ApiTokenAdmin(RecordAdmin):
    """Tokens are made by the people they belong to; here they are found and revoked."""

    list_display = (
        "prefix", "name", "user", "scopes", "created_at", "last_used_at", "expires_at",
        "revoked_at",
    )  # fmt: skip
    list_filter = ("revoked_at", "expires_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("prefix", "name", "user__email")
    exclude = ("digest",)
    actions = ("revoke",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_apitoken")

    @admin.action(description=_("Revoke"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        valid = list(queryset.filter(revoked_at=None))
        for token in valid:
            tokens.revoke(token)
        text = _("%(count)s revoked; requests with them are refused from now on.")
        self.message_user(request, text % {"count": len(valid)}, messages.SUCCESS)


def _is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser


def _may_touch(request: HttpRequest, obj: Model | None) -> bool:
    return _is_superuser(request) or not (isinstance(obj, User) and obj.is_superuser)
