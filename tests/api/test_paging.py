import base64
import json

import pytest

from agents.models import Agent
from knowledge.models import Collection
from security.paging import InvalidCursor, paginate

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("order", [["-id"], ["id"], ["name", "id"], ["-name", "-id"]])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_pages_hold_every_row_once_in_order(alice, order, limit):
    for name in "bacabca":
        Collection.objects.create(owner=alice, name=name)
    seen, cursor = [], None
    while True:
        page = paginate(Collection.objects.all(), order, cursor, limit)
        assert len(page.items) <= limit
        seen += page.items
        cursor = page.next
        if cursor is None:
            break
    assert seen == list(Collection.objects.order_by(*order))


def encoded(value) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    ["x", "!!!", "ü", encoded([]), encoded({}), encoded(["x"]), encoded([1]), encoded([None]),
     encoded(["0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d", "x"]), "A" * 400, encoded(["\0"])],
)  # fmt: skip
def test_a_cursor_that_was_never_given_out_is_refused(alice, api_for, cursor):
    Agent.objects.create(owner=alice, name="A", slug="a")
    with pytest.raises(InvalidCursor):
        paginate(Agent.objects.all(), ["-id"], cursor, 10)
    response = api_for(alice).get(
        "/agents", QUERY_STRING=f"cursor={cursor}".encode().decode("latin-1")
    )
    assert response.status_code == 422
    assert response.json()["type"] == "urn:parley:problem:invalid-cursor"


def test_the_api_pages_through_agents(alice, charlie, api_for):
    for number in range(5):
        Agent.objects.create(owner=alice, name=f"A{number}", slug=f"a{number}")
        Agent.objects.create(owner=charlie, name=f"C{number}", slug=f"c{number}")
    api, slugs, cursor = api_for(alice), [], ""
    while cursor is not None:
        page = api.get(f"/agents?limit=2&cursor={cursor}").json()
        slugs += [agent["slug"] for agent in page["items"]]
        cursor = page["next"]
    assert slugs == ["a4", "a3", "a2", "a1", "a0"]
