"""The servers that administrators connected, and the definitions of their tools."""

from typing import Any, ClassVar, Self

from django.contrib.auth.models import AnonymousUser
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.access import in_teams_of
from accounts.models import Team, User
from agents.mcp_client.naming import LONGEST, LONGEST_SERVER, SERVER
from agents.mcp_client.pinning import State
from agents.tools.types import Effect
from security.ids import new_id

STATES = [
    (State.NEW.value, _("not decided yet")),
    (State.APPROVED.value, _("approved")),
    (State.CHANGED.value, _("changed since")),
    (State.REJECTED.value, _("rejected")),
    (State.GONE.value, _("gone")),
]


class McpServerQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Those whose tools this person's agents may call."""
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        by_name = McpServer.people.through.objects.filter(user=user).values("mcpserver")
        by_team = McpServer.teams.through.objects.filter(in_teams_of(user)).values("mcpserver")
        return self.filter(Q(is_for_everyone=True) | Q(pk__in=by_name) | Q(pk__in=by_team))


class McpAccountQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Nobody but whose they are."""
        is_somebody = isinstance(user, User) and user.is_active
        return self.filter(user=user) if is_somebody else self.none()


class McpServer(models.Model):
    """A server that speaks MCP; its token is sealed with this row's id as associated data."""

    class Auth(models.TextChoices):
        NONE = "none", _("none is needed")
        BEARER = "bearer", _("a token for everybody")
        OAUTH = "oauth", _("each person signs in there (OAuth)")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(
        _("name"),
        max_length=LONGEST_SERVER,
        unique=True,
        validators=[
            RegexValidator(
                rf"^{SERVER.pattern}$", _("Small letters, digits, and hyphens between them.")
            )
        ],
        help_text=_("The names of its tools begin with it, as in wiki__search."),
    )
    url = models.CharField(
        _("address"),
        max_length=500,
        help_text=_("For example https://mcp.example.org/mcp"),
        validators=[
            RegexValidator(
                r"^https?://[^\s/@?#]+(/[^\s#]*)?$",
                _("An address like https://mcp.example.org/mcp, without a password."),
            )
        ],
    )
    # A program on this machine, of the operator's file (`agents.mcp_client.local`): no page makes
    # a server such a one.
    is_local = models.BooleanField(default=False, editable=False)
    auth = models.CharField(
        _("authorization"), max_length=8, choices=Auth.choices, default=Auth.NONE
    )
    # The token for everybody, or the secret of our `client_id` at the `issuer` of tokens.
    secret = models.BinaryField(_("token"), null=True, blank=True, editable=False)
    client_id = models.CharField(
        _("client id"),
        max_length=500,
        blank=True,
        db_default="",
        help_text=_("For OAuth. Empty: Parley registers itself there, where that is offered."),
    )
    issuer = models.CharField(max_length=500, blank=True, db_default="", editable=False)
    is_enabled = models.BooleanField(_("enabled"), default=True)
    is_for_everyone = models.BooleanField(
        _("for everyone"), default=False, help_text=_("Otherwise for these people and teams only.")
    )
    people = models.ManyToManyField(User, blank=True, related_name="+", verbose_name=_("people"))
    teams = models.ManyToManyField(Team, blank=True, related_name="+", verbose_name=_("teams"))
    timeout = models.PositiveSmallIntegerField(_("time-out of a call, seconds"), default=60)
    last_checked_at = models.DateTimeField(_("last checked"), null=True, blank=True, editable=False)
    last_error = models.TextField(_("last error"), blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects: ClassVar[Any] = McpServerQuerySet.as_manager()

    class Meta:
        app_label = "agents"
        verbose_name = _("MCP server")
        verbose_name_plural = _("MCP servers")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class McpTool(models.Model):
    """A tool of a server: the definition that it has now and the one that was approved.

    `state` follows from the pins (`pinning.state_of`); services keep it so.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    server = models.ForeignKey(McpServer, on_delete=models.CASCADE, related_name="tools")
    own_name = models.TextField(_("its name there"))
    name = models.CharField(_("name"), max_length=LONGEST, unique=True)
    definition = models.JSONField(_("definition"))
    pin = models.CharField(max_length=64)
    approved_definition = models.JSONField(_("approved definition"), null=True, blank=True)
    approved_pin = models.CharField(max_length=64, blank=True)
    rejected_pin = models.CharField(max_length=64, blank=True)
    state = models.CharField(_("state"), max_length=8, default=State.NEW.value, choices=STATES)
    effect = models.CharField(
        _("what a call can do"),
        max_length=8,
        choices=[
            (Effect.READS.value, _("it only reads")),
            (Effect.CHANGES.value, _("it changes something")),
            (Effect.SENDS.value, _("it talks to somebody outside")),
        ],
        default=Effect.SENDS.value,
    )
    decided_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    seen_at = models.DateTimeField(_("last seen"))

    class Meta:
        app_label = "agents"
        verbose_name = _("tool of an MCP server")
        verbose_name_plural = _("tools of MCP servers")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["server", "own_name"], name="mcp_tool_once"),
        ]

    def __str__(self) -> str:
        return self.name


class McpAccount(models.Model):
    """What one person let us do at one server; its tokens are sealed with this row's id."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    server = models.ForeignKey(McpServer, on_delete=models.CASCADE, related_name="accounts")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    secret = models.BinaryField(null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    # One process at a time uses a refresh token, which is often good for once.
    renewing_until = models.DateTimeField(null=True, blank=True)
    is_broken = models.BooleanField(default=False)  # the person has to connect again
    connected_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Any] = McpAccountQuerySet.as_manager()

    class Meta:
        app_label = "agents"
        verbose_name = _("account at an MCP server")
        verbose_name_plural = _("accounts at MCP servers")
        constraints = [
            models.UniqueConstraint(fields=["server", "user"], name="mcp_account_once"),
        ]

    def __str__(self) -> str:
        return f"{self.server}: {self.user_id}"


class McpRevocation(models.Model):
    """Tokens of an account that is gone from here, until their server has taken them back; sealed
    with this row's id, and nobody's any more."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    server_name = models.CharField(max_length=200)
    secret = models.BinaryField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "agents"
        verbose_name = _("tokens to be taken back")
        verbose_name_plural = _("tokens to be taken back")

    def __str__(self) -> str:
        return self.server_name
