"""What no page and no client sends is answered, never with a server error."""

import json

import pytest
from django.test import Client

from accounts.models import User
from knowledge.models import Collection
from tests.knowledge.conftest import AddText

pytestmark = pytest.mark.django_db

HUGE = "999999999"
NUL = "%00"
SURROGATE = "%ed%a0%80"


@pytest.fixture
def client(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def place(handbook: Collection, add_text: AddText) -> str:
    return str(add_text(handbook, "The umbrella stand is beside the lift.").pk)


@pytest.mark.parametrize("at", ["1000-5", f"{HUGE}-0", "0-0", "5-5", f"{HUGE}-{HUGE}", "900-905"])
def test_a_passage_page_without_such_text(client: Client, place: str, at: str) -> None:
    assert client.get(f"/passages/{place}?at={at}").status_code == 404
    assert client.get(f"/passages/{place}?at=4-12").status_code == 200


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("start=1000&end=0&around=0", 422),
        ("start=5&end=5", 422),
        (f"start={HUGE}&end=1000000000", 404),
        (f"start=0&end={HUGE}99999", 422),
        ("start=-1&end=5", 422),
        ("start=4&end=900", 404),
        ("start=4&end=12", 200),
    ],
)
def test_a_passage_of_the_api(api_for, alice, place: str, query: str, status: int) -> None:
    response = api_for(alice).get(f"/documents/{place}/passage?{query}")
    assert response.status_code == status
    assert status == 200 or response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("odd", [NUL, SURROGATE, f"umbrella{NUL}"])
def test_pages_searched_for_what_is_no_text(
    client: Client, handbook: Collection, place: str, odd: str
) -> None:
    for page in (
        "/knowledge/",
        f"/knowledge/{handbook.pk}/",
        f"/knowledge/{handbook.pk}/documents/",
        "/knowledge/search/",
        f"/knowledge/documents/{place}/",
    ):
        assert client.get(f"{page}?q={odd}").status_code in {200, 404}, page
        for name in ("status", "cursor", "collection", "start", "part", "active"):
            assert client.get(f"{page}?q=a&{name}={odd}").status_code in {200, 404}, (page, name)


@pytest.mark.parametrize("query", ["\0", "umbrella\0", "\ud800", "umbrella \udfff", " "])
def test_the_api_is_asked_for_what_is_no_text(api_for, alice, query: str) -> None:
    response = api_for(alice)(
        "POST", "/search", data=json.dumps({"query": query}), content_type="application/json"
    )
    assert response.status_code in {400, 422}, response.content
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("moment", "status"),
    [
        ("1655-02-12T00:36:07+16:47", 200),
        ("2026-11-22T00:00:00-23:59", 200),
        ("0001-01-01T00:00:00+16:47", 422),
        ("9999-12-31T23:59:59-16:47", 422),
    ],
)
def test_searched_since_a_time_of_an_odd_zone(
    api_for, alice, place: str, moment: str, status: int
) -> None:
    for name in ("since", "until"):
        response = api_for(alice).post("/search", {"query": "umbrella", name: moment})
        assert response.status_code == status, name
