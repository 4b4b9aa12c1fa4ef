"""The cast of every permission test: alice owns, bob is her team-mate, charlie is an outsider."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts import services, tokens
from accounts.models import Membership, Team, User

PASSWORD = "correct horse battery staple"
SECRET_WORDS = "the merger with Hooli"


@pytest.fixture
def alice(db) -> User:
    return User.objects.create_user("alice@example.org", PASSWORD, name="Alice")


@pytest.fixture
def bob(db) -> User:
    return User.objects.create_user("bob@example.org", PASSWORD, name="Bob")


@pytest.fixture
def charlie(db) -> User:
    return User.objects.create_user("charlie@example.org", PASSWORD, name="Charlie")


@pytest.fixture
def admin(db) -> User:
    return User.objects.create_superuser("root@example.org", PASSWORD, name="Root")


@pytest.fixture
def team(alice: User, bob: User) -> Team:
    team = services.create_team(alice, "Alice's team")
    Membership.objects.create(team=team, user=bob)
    return team


@dataclass
class Api:
    """A client of the JSON API that carries one bearer token."""

    token: str = ""

    def __call__(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None,
        **options: Any,
    ) -> HttpResponse:  # fmt: skip
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if body is not None:
            options |= {"data": json.dumps(body), "content_type": "application/json"}
        client = Client(raise_request_exception=False)
        return client.generic(method, f"/api/v1{path}", headers=sent | (headers or {}), **options)

    def get(self, path: str, **options: Any) -> HttpResponse:
        return self("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> HttpResponse:
        return self("POST", path, body, **options)

    def patch(self, path: str, body: Any = None, **options: Any) -> HttpResponse:
        return self("PATCH", path, body, **options)

    def delete(self, path: str, **options: Any) -> HttpResponse:
        return self("DELETE", path, **options)

    def upload(self, path: str, **form: Any) -> HttpResponse:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        client = Client(raise_request_exception=False)
        return client.post(f"/api/v1{path}", form, headers=headers)


@pytest.fixture
def api_for():
    """Makes an API client for a user, with a token of the given scopes."""

    def make(user: User, *scopes: str) -> Api:
        return Api(tokens.issue(user, "test", scopes)[1])

    return make
