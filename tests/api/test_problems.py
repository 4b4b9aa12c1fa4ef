import json
from uuid import uuid4

import pytest
from django.test import Client

from accounts import services, tokens
from agents.models import Agent
from tests.support.cast import PASSWORD, Api

pytestmark = pytest.mark.django_db


def problem(response, status: int, name: str) -> dict:
    """The body of a response that must be this problem, complete and in the right type."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["type"] == f"urn:parley:problem:{name}"
    assert body["status"] == status
    assert body["title"]
    assert len(body["detail"]) > 10
    return body


def test_without_credentials_it_says_how_to_get_in():
    response = Api().get("/me")
    assert "Settings" in problem(response, 401, "not-authenticated")["detail"]
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer par_x", "Bearer ' or 1=1", "Bearer \x00",
     "Bearer " + "x" * 65_536, "bearer \xff\xfe"],
)  # fmt: skip
def test_any_other_credential_is_the_same_401(alice, header):
    expected = Api().get("/me").content
    response = Api().get("/me", headers={"Authorization": header} if header else {})
    problem(response, 401, "not-authenticated")
    assert response.content == expected


def test_s25_a_bearer_token_makes_cookies_count_for_nothing(alice, charlie):
    client = Client()
    client.force_login(alice)
    assert client.get("/api/v1/me").json()["email"] == alice.email
    _, plaintext = tokens.issue(charlie, "t")
    mine = client.get("/api/v1/me", headers={"Authorization": f"Bearer {plaintext}"})
    assert mine.json()["email"] == charlie.email
    bad = client.get("/api/v1/me", headers={"Authorization": "Bearer nonsense"})
    problem(bad, 401, "not-authenticated")


def test_s25_a_session_writes_only_with_its_csrf_token(alice):
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    assert client.login(email=alice.email, password=PASSWORD)
    body = {"data": json.dumps({"query": ""}), "content_type": "application/json"}
    problem(client.post("/api/v1/search", **body), 403, "csrf")
    client.get("/accounts/login/")
    token = client.get("/api/v1/me").wsgi_request.META.get("CSRF_COOKIE")
    if token is None:
        client.get("/settings/")
        token = client.cookies["csrftoken"].value
    response = client.post("/api/v1/search", **body, headers={"X-CSRFToken": token})
    problem(response, 422, "invalid-input")


def test_a_missing_scope_is_named(alice, api_for):
    response = api_for(alice, "read").post("/search", {"query": ""})
    problem(response, 422, "invalid-input")
    response = api_for(alice, "chat").post("/search", {"query": "x"})
    assert "read" in problem(response, 403, "missing-scope")["detail"]
    assert 'scope="read"' in response["WWW-Authenticate"]


def test_a_disabled_account_is_out_at_once(alice, api_for):
    api, client = api_for(alice), Client()
    client.force_login(alice)
    assert api.get("/me").status_code == client.get("/api/v1/me").status_code == 200
    services.disable(alice)
    assert api.get("/me").status_code == client.get("/api/v1/me").status_code == 401
    assert not Client().login(email=alice.email, password=PASSWORD)


def test_anothers_object_reads_like_a_random_id(alice, charlie, api_for):
    agent = Agent.objects.create(owner=alice, name="Secret", slug="secret")
    stranger = api_for(charlie)
    nothing = stranger.get(f"/agents/{uuid4()}")
    problem(nothing, 404, "not-found")
    for address in (f"/agents/{agent.pk}", "/agents/secret", "/agents/none", "/agents/%00"):
        assert stranger.get(address).content == nothing.content
    assert api_for(alice).get("/agents/secret").json()["id"] == str(agent.pk)


@pytest.mark.parametrize("path", ["/nothing", "/collections/not-a-uuid", "/", "/me/", "/turns//x"])
def test_addresses_that_do_not_exist(alice, api_for, path):
    problem(api_for(alice).get(path), 404, "not-found")


def test_a_wrong_method_lists_the_right_ones(alice, api_for):
    response = api_for(alice).delete("/me")
    problem(response, 405, "method-not-allowed")
    assert set(response["Allow"].split(", ")) == {"GET", "PATCH"}


@pytest.mark.parametrize(
    "body",
    [b"{", b"\xff\xfe", b'{"query": NaN}', b"[" * 100_000, b'{"query": "\\ud800"}', b'{"a":1}x'],
)
def test_unreadable_json_is_a_400(alice, api_for, body):
    response = api_for(alice)("POST", "/search", data=body, content_type="application/json")
    problem(response, 400, "bad-request")


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"7", b'"query"', b"{}"])
def test_json_of_the_wrong_shape_is_a_422(alice, api_for, body):
    response = api_for(alice)("POST", "/search", data=body, content_type="application/json")
    problem(response, 422, "invalid-input")


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary="])
def test_a_form_without_a_boundary_is_a_400(alice, api_for, content_type):
    made = api_for(alice).post("/collections", {"name": "Papers"}).json()
    path = f"/collections/{made['id']}/documents"
    response = api_for(alice)("POST", path, data=b"abc", content_type=content_type)
    problem(response, 400, "bad-request")


def test_field_errors_point_at_the_field(alice, api_for):
    body = {"query": "x", "limit": 1000, "collections": ["nope"], "owner": "me"}
    errors = problem(api_for(alice).post("/search", body), 422, "invalid-input")["errors"]
    assert {error["pointer"] for error in errors} == {"#/limit", "#/collections/0", "#/owner"}
    assert all(error["detail"] for error in errors)


def test_parameter_errors_name_the_parameter(alice, api_for):
    body = problem(api_for(alice).get("/agents?limit=0"), 422, "invalid-input")
    assert body["errors"][0] | {"detail": ""} == {"parameter": "limit", "in": "query", "detail": ""}


def test_text_with_nul_is_refused_where_it_stands(alice, api_for):
    body = problem(api_for(alice).post("/search", {"query": "a\0b"}), 422, "invalid-input")
    assert body["errors"][0]["pointer"] == "#/query"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_json_operations_read_json_only(alice, api_for, content_type):
    response = api_for(alice)("POST", "/search", data='{"query": "x"}', content_type=content_type)
    assert "application/json" in problem(response, 415, "unsupported-media-type")["detail"]


def test_a_huge_json_body_is_a_413(alice, api_for):
    body = json.dumps({"query": "x" * 3_000_000})
    response = api_for(alice)("POST", "/search", data=body, content_type="application/json")
    problem(response, 413, "too-large")


def test_an_unforeseen_error_is_logged_and_told_as_500(alice, api_for, monkeypatch, caplog):
    def fail(*_arguments):
        raise RuntimeError("the secret reason")

    monkeypatch.setattr("agents.selectors.list_agents", fail)
    response = api_for(alice).get("/agents")
    assert "X-Request-ID" in problem(response, 500, "internal-error")["detail"]
    assert b"secret" not in response.content
    assert "secret reason" in caplog.text


def test_problems_speak_the_callers_language(alice, api_for):
    response = api_for(alice).get("/nothing", headers={"Accept-Language": "zh-Hans"})
    assert response["Content-Language"] == "zh-hans"
