from decimal import Decimal
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from security.ids import new_id
from security.outbound.errors import AddressRefused
from security.outbound.targets import parse_target

DIGITS, PLACES = 28, 12  # tokens of a century; what a token costs, exactly
EVERYBODY = UUID(int=0)  # the subject of the installation's budgets
NAMED = ("user", "team", "agent_id", "token")


class Budget(models.Model):
    """How much may be used: by the installation, by one of its people, teams, agents or tokens, or
    by each of them. One that names somebody replaces the one for each of its kind."""

    class Scope(models.TextChoices):
        INSTALLATION = "installation", _("the whole installation")
        TEAM = "team", _("team")
        USER = "user", _("person")
        AGENT = "agent", _("agent")
        TOKEN = "token", _("API token")

    class Unit(models.TextChoices):
        TOKENS = "tokens", _("tokens")
        MONEY = "money", _("money")
        REQUESTS = "requests", _("requests")
        STORAGE = "storage", _("bytes of storage")

    class Period(models.TextChoices):
        DAY = "day", _("day")
        WEEK = "week", _("week")
        MONTH = "month", _("month")
        EVER = "ever", _("no period")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(_("name"), max_length=80)
    scope = models.CharField(_("for"), max_length=12, choices=Scope.choices, default=Scope.USER)
    user = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.CASCADE, related_name="budgets",
        verbose_name=_("person"), help_text=_("Empty: each person."),
    )  # fmt: skip
    team = models.ForeignKey(
        "accounts.Team", null=True, blank=True, on_delete=models.CASCADE, related_name="budgets",
        verbose_name=_("team"), help_text=_("Empty: each team."),
    )  # fmt: skip
    # By its id alone: agents are a layer above.
    agent_id = models.UUIDField(
        _("agent"), null=True, blank=True, help_text=_("Empty: each agent.")
    )
    token = models.ForeignKey(
        "accounts.ApiToken", null=True, blank=True, on_delete=models.CASCADE,
        related_name="budgets", verbose_name=_("API token"), help_text=_("Empty: each API token."),
    )  # fmt: skip
    unit = models.CharField(_("unit"), max_length=8, choices=Unit.choices, default=Unit.TOKENS)
    currency = models.CharField(
        _("currency"), max_length=3, blank=True, help_text=_("Of money, as in EUR.")
    )
    limit = models.DecimalField(
        _("limit"), max_digits=DIGITS, decimal_places=PLACES, validators=[MinValueValidator(0)]
    )
    period = models.CharField(_("per"), max_length=5, choices=Period.choices, default=Period.MONTH)
    warn_at = models.PositiveSmallIntegerField(
        _("warn at, percent"),
        default=80,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    is_hard = models.BooleanField(
        _("stops"),
        default=True,
        help_text=_("What does not fit is refused; else there are only warnings."),
    )
    allows_unpriced = models.BooleanField(
        _("lets calls without a price pass"),
        default=False,
        help_text=_(
            "Of money: a call whose price is unknown counts nothing instead of being refused."
        ),
    )
    falls_back = models.BooleanField(
        _("may fall back"),
        default=False,
        help_text=_("Of money: a cheaper deployment may answer instead."),
    )
    fall_back_to = models.CharField(
        _("cheaper model"),
        max_length=120,
        blank=True,
        help_text=_("Asked when no deployment of the usual model fits."),
    )
    emails = ArrayField(
        models.EmailField(max_length=254), default=list, blank=True, verbose_name=_("e-mail to"),
        help_text=_("Separated by commas; told at the warning and at the stop."),
    )  # fmt: skip
    webhook = models.CharField(
        _("webhook"), max_length=500, blank=True, help_text=_("Told the same, signed.")
    )
    secret = models.BinaryField(null=True, blank=True, editable=False)
    is_enabled = models.BooleanField(_("enabled"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("budget")
        verbose_name_plural = _("budgets")
        ordering = ["scope", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["scope", *NAMED, "unit", "period", "currency"],
                nulls_distinct=False,
                name="one_budget_each",
                violation_error_message=_("There is such a budget already."),
            ),
            models.CheckConstraint(
                condition=(Q(user=None) | Q(scope="user"))
                & (Q(team=None) | Q(scope="team"))
                & (Q(agent_id=None) | Q(scope="agent"))
                & (Q(token=None) | Q(scope="token")),
                name="budget_names_its_scope",
            ),
            models.CheckConstraint(
                condition=Q(unit="money", currency__regex="^[A-Z]{3}$")
                | (~Q(unit="money") & Q(currency="")),
                name="money_has_a_currency",
            ),
            models.CheckConstraint(
                condition=Q(unit="storage", period="ever")
                | (~Q(unit="storage") & ~Q(period="ever")),
                name="storage_has_no_period",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """A webhook that could not be told anything is refused while somebody is there to hear."""
        if self.webhook:
            try:
                parse_target(self.webhook)
            except AddressRefused as error:
                raise ValidationError({"webhook": str(error)}) from error

    @property
    def subject_id(self) -> UUID | None:
        """Whom it names; None where it is for each of its kind, or for the installation."""
        named: UUID | None = self.user_id or self.team_id or self.agent_id or self.token_id
        return named

    @property
    def is_for_each(self) -> bool:
        return self.scope != self.Scope.INSTALLATION and self.subject_id is None


class BudgetBalance(models.Model):
    """What one subject has used of a budget in one period, and what calls under way may still."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="balances")
    subject_id = models.UUIDField(default=EVERYBODY)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    settled = models.DecimalField(
        max_digits=DIGITS, decimal_places=PLACES, default=Decimal(0), db_default=Decimal(0)
    )
    held = models.DecimalField(
        max_digits=DIGITS, decimal_places=PLACES, default=Decimal(0), db_default=Decimal(0)
    )
    refused_at = models.DateTimeField(null=True, blank=True)  # for the first time
    warned_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)  # when that was told

    class Meta:
        verbose_name = _("balance")
        verbose_name_plural = _("balances")
        indexes = [models.Index(fields=["budget", "subject_id", "-ends_at"], name="balance_now")]
        constraints = [
            models.UniqueConstraint(
                fields=["budget", "subject_id", "starts_at"], name="one_balance_each"
            ),
            models.CheckConstraint(condition=Q(held__gte=0), name="balance_holds_no_less"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="balance_lasts"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class BudgetHold(models.Model):
    """What one call has set aside in one balance; gone when it is settled or released.

    `owed` counts when nobody saw how the call ended; then `charged` says so until it is known, or
    for a day.

    One index, and no foreign key in the database: every call writes such rows for each of its
    budgets, behind a lock on the balance. A balance that is deleted at that moment may leave a hold
    of nothing, which the end of its call removes like any other.
    """

    pk = models.CompositePrimaryKey("call_id", "balance_id")
    call_id = models.UUIDField()
    balance = models.ForeignKey(
        BudgetBalance, on_delete=models.CASCADE, related_name="holds",
        db_constraint=False, db_index=False,
    )  # fmt: skip
    turn_id = models.UUIDField(null=True, blank=True)
    amount = models.DecimalField(max_digits=DIGITS, decimal_places=PLACES)
    owed = models.DecimalField(max_digits=DIGITS, decimal_places=PLACES)
    charged = models.DecimalField(max_digits=DIGITS, decimal_places=PLACES, null=True, blank=True)
    leased_until = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")

    def __str__(self) -> str:
        return str(self.call_id)
