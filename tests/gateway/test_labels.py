"""Labels as they are written, and the embedders that may see what demands them."""

import pytest
from django.core.exceptions import ValidationError

from gateway.embedding.embedder import get_embedder
from gateway.labels import Demand, LabelUnmet, clean_labels, require_labels
from gateway.models import Deployment, Endpoint, Model
from gateway.types import Route

EU = (Demand("eu", "collection", "Contracts"),)


def test_labels_have_one_form():
    assert clean_labels(" EU, confidential，eu ") == ["confidential", "eu"]
    assert clean_labels(["b", "a"]) == ["a", "b"]
    assert clean_labels("") == []
    for wrong in ("a, <b>", "x" * 41, ",".join(f"l{n}" for n in range(21)), 7):
        with pytest.raises(ValidationError):
            clean_labels(wrong)


def test_one_route_has_to_have_them_all():
    routes = [
        Route("m", "m", name, "http://x", labels=frozenset(labels))
        for name, labels in (("a", {"eu"}), ("b", {"confidential"}))
    ]
    require_labels([], EU)
    require_labels(routes, EU)
    with pytest.raises(LabelUnmet, match="the team “Legal”"):
        require_labels(routes, (*EU, Demand("confidential", "team", "Legal")))


@pytest.mark.django_db
def test_an_embedder_has_what_is_demanded_or_there_is_none():
    model = Model.objects.create(name="e", kind="embedding", is_default=True, dimensions=8)
    for name, labels in (("anybody", []), ("trusted", ["eu"])):
        endpoint = Endpoint.objects.create(name=name, base_url="http://x/v1", labels=labels)
        Deployment.objects.create(model=model, endpoint=endpoint, upstream_name="e")
    assert len(get_embedder("e")._routes) == 2
    assert [route.endpoint for route in get_embedder("e", EU)._routes] == ["trusted"]
    Endpoint.objects.filter(name="trusted").delete()
    with pytest.raises(LabelUnmet, match="Contracts"):
        get_embedder("e", EU)
