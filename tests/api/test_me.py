import pytest

pytestmark = pytest.mark.django_db


def test_it_says_who_calls_and_with_what(alice, team, api_for):
    body = api_for(alice, "read").get("/me").json()
    assert body["email"] == alice.email
    assert body["teams"] == [{"id": str(team.pk), "name": team.name, "role": "owner"}]
    assert body["token"]["scopes"] == ["read"]
    assert body["quota"] == []


def test_a_session_has_no_token(alice, client):
    client.force_login(alice)
    assert client.get("/api/v1/me").json()["token"] is None
