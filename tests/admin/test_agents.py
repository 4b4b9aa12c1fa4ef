"""An agent's collections, chosen in the admin, stay its limit when they are deleted."""

import pytest
from django.urls import reverse

from agents.models import Agent
from knowledge.models import Collection

pytestmark = pytest.mark.django_db


def save(client, agent, **changes):
    form = {
        "name": agent.name, "slug": agent.slug, "description": "", "owner": agent.owner_id,
        "instructions": "", "model_name": "", "temperature": 0.2, "max_passages": 8,
        "context_tokens": 6000, "max_answer_tokens": 2000,
        "reuse": "off", "reuse_seconds": 3600, "similarity": 95,
    }  # fmt: skip
    place = reverse("admin:agents_agent_change", args=[agent.pk])
    response = client.post(place, form | changes)
    assert response.status_code == 302, response.content.decode()
    agent.refresh_from_db()


def test_an_agent_stays_limited_until_somebody_lifts_the_limit(root_client, admin):
    agent = Agent.objects.create(owner=admin, name="Mine", slug="mine")
    shelf = Collection.objects.create(owner=admin, name="Shelf")
    save(root_client, agent)
    assert not agent.is_limited
    save(root_client, agent, collections=[shelf.pk])
    assert agent.is_limited
    shelf.delete()
    save(root_client, agent, description="New", is_limited="on")
    assert agent.is_limited
    assert not agent.collections.exists()
    save(root_client, agent)
    assert not agent.is_limited
