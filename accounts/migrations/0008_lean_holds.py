"""A hold is known by its call and its balance: one index instead of three, and no foreign key to be
looked at for each of a call's budgets."""

import django.db.models.deletion
from django.db import migrations, models

LEAN = """
    alter table accounts_budgethold drop column id;
    alter table accounts_budgethold drop constraint one_hold_each;
    alter table accounts_budgethold add primary key (call_id, balance_id);
"""
AS_BEFORE = """
    alter table accounts_budgethold drop constraint accounts_budgethold_pkey;
    alter table accounts_budgethold add column id uuid not null default gen_random_uuid();
    alter table accounts_budgethold add primary key (id);
    alter table accounts_budgethold alter column id drop default;
    alter table accounts_budgethold add constraint one_hold_each unique (call_id, balance_id);
"""
WITHOUT_BALANCE = """
    delete from accounts_budgethold h
    where not exists (select from accounts_budgetbalance b where b.id = h.balance_id)
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_budgets")]

    operations = [
        migrations.AlterField(
            model_name="budgethold",
            name="balance",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="holds",
                to="accounts.budgetbalance",
            ),
        ),
        migrations.RunSQL(migrations.RunSQL.noop, WITHOUT_BALANCE),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(LEAN, AS_BEFORE)],
            state_operations=[
                migrations.RemoveConstraint("budgethold", "one_hold_each"),
                migrations.RemoveField("budgethold", "id"),
                migrations.AddField(
                    "budgethold",
                    "pk",
                    models.CompositePrimaryKey(
                        "call_id",
                        "balance_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
            ],
        ),
    ]
