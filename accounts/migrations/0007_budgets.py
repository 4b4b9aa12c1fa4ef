import uuid
from decimal import Decimal
from typing import ClassVar

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import security.ids


class Migration(migrations.Migration):
    """Budgets, their balances, and what calls under way hold of them."""

    dependencies: ClassVar = [
        ("accounts", "0006_portraits"),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Budget",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=security.ids.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("installation", "the whole installation"),
                            ("team", "team"),
                            ("user", "person"),
                            ("agent", "agent"),
                            ("token", "API token"),
                        ],
                        default="user",
                        max_length=12,
                        verbose_name="for",
                    ),
                ),
                (
                    "agent_id",
                    models.UUIDField(
                        blank=True, help_text="Empty: each agent.", null=True, verbose_name="agent"
                    ),
                ),
                (
                    "unit",
                    models.CharField(
                        choices=[
                            ("tokens", "tokens"),
                            ("money", "money"),
                            ("requests", "requests"),
                            ("storage", "bytes of storage"),
                        ],
                        default="tokens",
                        max_length=8,
                        verbose_name="unit",
                    ),
                ),
                (
                    "currency",
                    models.CharField(
                        blank=True,
                        help_text="Of money, as in EUR.",
                        max_length=3,
                        verbose_name="currency",
                    ),
                ),
                (
                    "limit",
                    models.DecimalField(
                        decimal_places=12,
                        max_digits=28,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="limit",
                    ),
                ),
                (
                    "period",
                    models.CharField(
                        choices=[
                            ("day", "day"),
                            ("week", "week"),
                            ("month", "month"),
                            ("ever", "no period"),
                        ],
                        default="month",
                        max_length=5,
                        verbose_name="per",
                    ),
                ),
                (
                    "warn_at",
                    models.PositiveSmallIntegerField(
                        default=80,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="warn at, percent",
                    ),
                ),
                (
                    "is_hard",
                    models.BooleanField(
                        default=True,
                        help_text="What does not fit is refused; else there are only warnings.",
                        verbose_name="stops",
                    ),
                ),
                (
                    "allows_unpriced",
                    models.BooleanField(
                        default=False,
                        help_text="Of money: a call whose price is unknown counts nothing instead "
                        "of being refused.",
                        verbose_name="lets calls without a price pass",
                    ),
                ),
                (
                    "falls_back",
                    models.BooleanField(
                        default=False,
                        help_text="Of money: a cheaper deployment may answer instead.",
                        verbose_name="may fall back",
                    ),
                ),
                (
                    "fall_back_to",
                    models.CharField(
                        blank=True,
                        help_text="Asked when no deployment of the usual model fits.",
                        max_length=120,
                        verbose_name="cheaper model",
                    ),
                ),
                (
                    "emails",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.EmailField(max_length=254),
                        blank=True,
                        default=list,
                        help_text="Separated by commas; told at the warning and at the stop.",
                        size=None,
                        verbose_name="e-mail to",
                    ),
                ),
                (
                    "webhook",
                    models.CharField(
                        blank=True,
                        help_text="Told the same, signed.",
                        max_length=500,
                        verbose_name="webhook",
                    ),
                ),
                ("secret", models.BinaryField(blank=True, null=True)),
                ("is_enabled", models.BooleanField(default=True, verbose_name="enabled")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
                (
                    "team",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: each team.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="budgets",
                        to="accounts.team",
                        verbose_name="team",
                    ),
                ),
                (
                    "token",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: each API token.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="budgets",
                        to="accounts.apitoken",
                        verbose_name="API token",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: each person.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="budgets",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
            ],
            options={
                "verbose_name": "budget",
                "verbose_name_plural": "budgets",
                "ordering": ["scope", "name"],
            },
        ),
        migrations.CreateModel(
            name="BudgetBalance",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=security.ids.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "subject_id",
                    models.UUIDField(default=uuid.UUID("00000000-0000-0000-0000-000000000000")),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                (
                    "settled",
                    models.DecimalField(
                        db_default=Decimal("0"),
                        decimal_places=12,
                        default=Decimal("0"),
                        max_digits=28,
                    ),
                ),
                (
                    "held",
                    models.DecimalField(
                        db_default=Decimal("0"),
                        decimal_places=12,
                        default=Decimal("0"),
                        max_digits=28,
                    ),
                ),
                ("refused_at", models.DateTimeField(blank=True, null=True)),
                ("warned_at", models.DateTimeField(blank=True, null=True)),
                ("stopped_at", models.DateTimeField(blank=True, null=True)),
                (
                    "budget",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="balances",
                        to="accounts.budget",
                    ),
                ),
            ],
            options={
                "verbose_name": "balance",
                "verbose_name_plural": "balances",
            },
        ),
        migrations.CreateModel(
            name="BudgetHold",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=security.ids.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("call_id", models.UUIDField()),
                ("turn_id", models.UUIDField(blank=True, null=True)),
                ("amount", models.DecimalField(decimal_places=12, max_digits=28)),
                ("owed", models.DecimalField(decimal_places=12, max_digits=28)),
                (
                    "charged",
                    models.DecimalField(blank=True, decimal_places=12, max_digits=28, null=True),
                ),
                ("leased_until", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                (
                    "balance",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="holds",
                        to="accounts.budgetbalance",
                    ),
                ),
            ],
            options={
                "verbose_name": "hold",
                "verbose_name_plural": "holds",
            },
        ),
        migrations.AddConstraint(
            model_name="budget",
            constraint=models.UniqueConstraint(
                fields=("scope", "user", "team", "agent_id", "token", "unit", "period", "currency"),
                name="one_budget_each",
                nulls_distinct=False,
                violation_error_message="There is such a budget already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="budget",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("user", None), ("scope", "user"), _connector="OR"),
                    models.Q(("team", None), ("scope", "team"), _connector="OR"),
                    models.Q(("agent_id", None), ("scope", "agent"), _connector="OR"),
                    models.Q(("token", None), ("scope", "token"), _connector="OR"),
                ),
                name="budget_names_its_scope",
            ),
        ),
        migrations.AddConstraint(
            model_name="budget",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("currency__regex", "^[A-Z]{3}$"), ("unit", "money")),
                    models.Q(models.Q(("unit", "money"), _negated=True), ("currency", "")),
                    _connector="OR",
                ),
                name="money_has_a_currency",
            ),
        ),
        migrations.AddConstraint(
            model_name="budget",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("period", "ever"), ("unit", "storage")),
                    models.Q(
                        models.Q(("unit", "storage"), _negated=True),
                        models.Q(("period", "ever"), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="storage_has_no_period",
            ),
        ),
        migrations.AddIndex(
            model_name="budgetbalance",
            index=models.Index(fields=["budget", "subject_id", "-ends_at"], name="balance_now"),
        ),
        migrations.AddConstraint(
            model_name="budgetbalance",
            constraint=models.UniqueConstraint(
                fields=("budget", "subject_id", "starts_at"), name="one_balance_each"
            ),
        ),
        migrations.AddConstraint(
            model_name="budgetbalance",
            constraint=models.CheckConstraint(
                condition=models.Q(("held__gte", 0)), name="balance_holds_no_less"
            ),
        ),
        migrations.AddConstraint(
            model_name="budgetbalance",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("starts_at"))), name="balance_lasts"
            ),
        ),
        migrations.AddConstraint(
            model_name="budgethold",
            constraint=models.UniqueConstraint(fields=("call_id", "balance"), name="one_hold_each"),
        ),
    ]
