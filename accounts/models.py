from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.budgets.models import Budget, BudgetBalance, BudgetHold
from gateway.label_fields import LabelsField
from security.ids import new_id

__all__ = [
    "ApiToken",
    "Budget",
    "BudgetBalance",
    "BudgetHold",
    "Device",
    "Grant",
    "Membership",
    "Portrait",
    "Takeout",
    "Team",
    "User",
    "UserManager",
]


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A person who signs in with `email`; without a password they cannot sign in yet."""
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person; the e-mail address is the login."""

    class Theme(models.TextChoices):
        SYSTEM = "system", _("as the system")
        LIGHT = "light", _("light")
        DARK = "dark", _("dark")

    class Memory(models.TextChoices):
        """Whether the assistant remembers things about the person, and on whose word."""

        OFF = "off", _("off")
        ASKED = "asked", _("only when asked to")
        NOTICED = "noticed", _("also what the person mentions")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(_("e-mail"), max_length=254)
    name = models.CharField(_("name"), max_length=120, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    theme = models.CharField(_("theme"), max_length=8, choices=Theme.choices, default=Theme.SYSTEM)
    has_key_shortcuts = models.BooleanField(
        _("shortcuts of a single key"), default=True, db_default=True
    )
    has_first_steps = models.BooleanField(_("shows the first steps"), default=True, db_default=True)
    # Empty: the server's.
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, db_default="")
    # By its id alone: agents are a layer above. One that is gone, or not theirs, counts as none.
    default_agent = models.UUIDField(null=True, blank=True, editable=False)
    marks_unsupported = models.BooleanField(
        _("marks of unsupported sentences"), default=True, db_default=True
    )
    memory = models.CharField(
        _("memory"), max_length=8, choices=Memory.choices, default=Memory.OFF, db_default="off"
    )
    # When their picture was made (`accounts.portraits`); none: their initials stand for them.
    portrait_at = models.DateTimeField(null=True, blank=True, editable=False)
    leaves_at = models.DateTimeField(_("to be deleted"), null=True, blank=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("administrator"), default=False)
    date_joined = models.DateTimeField(_("joined"), default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [models.UniqueConstraint(Lower("email"), name="one_user_per_email")]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name or self.email.split("@")[0]


class Portrait(models.Model):
    """A person's picture as we have drawn it; `User.portrait_at` says whether there is one."""

    user = models.OneToOneField(
        User, primary_key=True, on_delete=models.CASCADE, related_name="portrait"
    )
    data = models.BinaryField()

    def __str__(self) -> str:
        return str(self.pk)


class Team(models.Model):
    """A group that grants are given to; the everyone team has every active user in it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(_("name"), max_length=80, unique=True)
    is_everyone = models.BooleanField(default=False, editable=False)
    members = models.ManyToManyField(User, through="Membership", related_name="teams")
    required_labels = LabelsField(_("demanded labels"))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_everyone"],
                condition=models.Q(is_everyone=True),
                name="one_everyone_team",
            )
        ]

    def __str__(self) -> str:
        return str(_("Everyone")) if self.is_everyone else self.name


class Membership(models.Model):
    class Role(models.TextChoices):
        OWNER = "owner", _("owner")
        MEMBER = "member", _("member")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=8, choices=Role.choices, default=Role.MEMBER)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="one_membership_each")]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"


class Grant(models.Model):
    """Gives one user or one team a role on one collection, document, agent, conversation or saved
    prompt."""

    class Kind(models.TextChoices):
        COLLECTION = "collection", _("collection")
        AGENT = "agent", _("agent")
        CONVERSATION = "conversation", _("conversation")
        SAVED_PROMPT = "saved_prompt", _("saved prompt")
        DOCUMENT = "document", _("document")

    class Role(models.TextChoices):
        READER = "reader", _("reader")
        EDITOR = "editor", _("editor")
        OWNER = "owner", _("owner")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.CASCADE, related_name="grants"
    )
    team = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.CASCADE, related_name="grants"
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    object_id = models.UUIDField(_("object"))
    role = models.CharField(_("role"), max_length=6, choices=Role.choices, default=Role.READER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        indexes = [models.Index(fields=["kind", "object_id"], name="grant_object")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user__isnull=True) ^ models.Q(team__isnull=True),
                name="grant_to_user_or_team",
            ),
            models.UniqueConstraint(
                fields=["user", "kind", "object_id"],
                condition=models.Q(user__isnull=False),
                name="one_grant_per_user",
            ),
            models.UniqueConstraint(
                fields=["team", "kind", "object_id"],
                condition=models.Q(team__isnull=False),
                name="one_grant_per_team",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.team}: {self.role} of {self.kind}"


class ApiToken(models.Model):
    """A bearer token; only its SHA-256 is stored, the prefix is there to recognise it by."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=80)
    prefix = models.CharField(_("prefix"), max_length=12, db_index=True, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class Device(models.Model):
    """A browser that somebody is signed in with: what a person recognises it by.

    The session itself is Django's row with this key. A device whose session is gone means nothing.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="devices")
    session_key = models.CharField(max_length=40, unique=True, editable=False)
    agent = models.CharField(max_length=300, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        ordering = ["-seen_at"]

    def __str__(self) -> str:
        return str(self.pk)


class Takeout(models.Model):
    """A ZIP of all that is a person's, made by a job; the file goes when `expires_at` is over."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="takeouts")
    job_id = models.UUIDField(null=True, blank=True)
    size = models.BigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = _("data export")
        verbose_name_plural = _("data exports")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return str(self.pk)
