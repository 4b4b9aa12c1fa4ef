from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import services, tokens
from accounts.errors import UnknownScope
from accounts.models import ApiToken

pytestmark = pytest.mark.django_db


def test_s15_only_a_hash_of_the_token_is_stored(alice):
    token, plaintext = tokens.issue(alice, "laptop")
    secret = plaintext.rsplit("_", 1)[1]
    assert len(secret) * 5 >= 128
    row = ApiToken.objects.filter(pk=token.pk).values().get()
    assert not any(secret in str(value) for value in row.values())
    assert plaintext.startswith(f"par_{row['prefix']}_")


def test_a_thousand_tokens_are_all_different(alice):
    assert len({tokens._random_text(20) for _ in range(1000)}) == 1000


def test_a_valid_token_names_its_user(alice):
    token, plaintext = tokens.issue(alice, "laptop", ["read"])
    found = tokens.authenticate(plaintext)
    assert found == token
    assert found.user == alice
    assert found.scopes == ["read"]


@pytest.mark.parametrize(
    "junk",
    [
        "",
        "'",
        "par_",
        "par_aaaaaaaa_' or 1=1 --",
        "par_aaaaaaaa_" + "a" * 32,
        "par_aaaaaaaa_" + "a" * 32 + "\n",
        "\0",
        "x" * 65_536,
        "ü" * 40,
        "par_aaaaaaaa_" + "１" * 32,
    ],
)
def test_junk_is_no_token(alice, junk):
    tokens.issue(alice, "laptop")
    assert tokens.authenticate(junk) is None


def test_expired_revoked_and_disabled_are_refused_at_once(alice):
    past = timezone.now() - timedelta(seconds=1)
    _, expired = tokens.issue(alice, "old", expires_at=past)
    assert tokens.authenticate(expired) is None

    token, plaintext = tokens.issue(alice, "laptop", expires_at=past + timedelta(hours=1))
    assert tokens.authenticate(plaintext)
    tokens.revoke(token)
    assert tokens.authenticate(plaintext) is None

    _, other = tokens.issue(alice, "phone")
    services.disable(alice)
    assert tokens.authenticate(other) is None
    services.enable(alice)
    assert tokens.authenticate(other)


def test_revoking_twice_keeps_the_first_time(alice):
    token, _ = tokens.issue(alice, "laptop")
    tokens.revoke(token)
    first = token.revoked_at
    tokens.revoke(token)
    assert token.revoked_at == first


def test_use_is_noted_once_a_minute(alice):
    token, plaintext = tokens.issue(alice, "laptop")
    tokens.authenticate(plaintext)
    token.refresh_from_db()
    assert token.last_used_at is not None
    with CaptureQueriesContext(
        connection,
    ) as queries:
        tokens.authenticate(plaintext)
    assert len(queries) == 1
    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    with CaptureQueriesContext(connection) as queries:
        tokens.authenticate(plaintext)
    assert len(queries) == 2


def test_unknown_scopes_are_refused(alice):
    with pytest.raises(UnknownScope, match="fly"):
        tokens.issue(alice, "laptop", ["read", "fly"])
    assert not ApiToken.objects.exists()


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("token", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_prints_the_token_and_only_that(alice):
    printed = run("ALICE@example.org", "--name", "ci", "--scopes", "read,chat", "--expires", "3")
    token = tokens.authenticate(printed.strip())
    assert printed.count("\n") == 1
    assert (token.user, token.name, token.scopes) == (alice, "ci", ["chat", "read"])
    assert timedelta(days=2) < token.expires_at - timezone.now() <= timedelta(days=3)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["nobody@example.org"], "Nobody here"),
        (["alice@example.org", "--scopes", "fly"], "Unknown scope"),
        (["alice@example.org", "--expires", "0"], "1 or more"),
    ],
)
def test_the_command_says_what_is_wrong(alice, arguments, text):
    with pytest.raises(CommandError, match=text):
        run(*arguments)
    assert not ApiToken.objects.exists()


def test_the_command_refuses_a_disabled_account(alice):
    services.disable(alice)
    with pytest.raises(CommandError, match="disabled"):
        run("alice@example.org")
