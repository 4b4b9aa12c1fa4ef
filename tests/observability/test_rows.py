"""Rows of raw SQL become the instances that the ORM would have made."""

import pytest
from django.contrib.auth import get_user_model

from agents.models import Agent
from observability.rows import columns_of, find_one

MODELS = [get_user_model(), Agent]


@pytest.mark.django_db
@pytest.mark.parametrize("model", MODELS)
def test_an_instance_has_what_the_orm_reads(model, alice):
    Agent.objects.create(owner=alice, name="Terse", slug="terse", temperature=0.5)
    for known in model.objects.all():
        statement = f"select {columns_of(model, 'x')} from {model._meta.db_table} x where id = %s"
        found = find_one(model, statement, [known.pk])
        fields = [field.attname for field in model._meta.concrete_fields]
        assert {name: getattr(found, name) for name in fields} == {
            name: getattr(known, name) for name in fields
        }
        assert not found._state.adding
        assert found._state.db == known._state.db


@pytest.mark.django_db
def test_no_row_is_no_instance():
    user = get_user_model()
    statement = f"select {columns_of(user, 'x')} from {user._meta.db_table} x where false"
    assert find_one(user, statement, []) is None
