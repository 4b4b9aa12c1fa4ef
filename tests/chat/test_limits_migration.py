"""What had collections before the limit was a column is limited after the migration."""

from importlib import import_module

import pytest
from django.apps import apps

from agents.models import Agent
from chat.models import Conversation
from knowledge.models import Collection


@pytest.mark.parametrize(("app", "model"), [("chat", Conversation), ("agents", Agent)])
def test_rows_with_collections_become_limited(alice, app, model):
    shelf, other = (Collection.objects.create(owner=alice, name=name) for name in "AB")
    names = {"chat": ({}, {}), "agents": ({"slug": "a"}, {"slug": "b"})}[app]
    limited, free = (model.objects.create(owner=alice, **fields) for fields in names)
    limited.collections.set([shelf, other])
    import_module(f"{app}.migrations.0002_limits").mark_limited(apps, None)
    limited.refresh_from_db()
    free.refresh_from_db()
    assert (limited.is_limited, free.is_limited) == (True, False)
