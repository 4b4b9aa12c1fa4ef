import pytest
from django.conf import settings
from django.core import mail
from django.urls import reverse

from accounts import tokens
from accounts.models import ApiToken
from tests.support.cast import PASSWORD

HTMX = {"HX-Request": "true"}


def test_preferences_are_kept_and_remembered_for_the_sign_in_page(client_of, alice):
    client = client_of(alice)
    form = {"name": "Alice Liddell", "language": "zh-hant", "theme": "dark"}
    client.post(reverse("accounts:profile"), form)
    alice.refresh_from_db()
    assert (alice.name, alice.language, alice.theme) == ("Alice Liddell", "zh-hant", "dark")
    page = client.get(reverse("accounts:profile")).content.decode()
    assert 'lang="zh-Hant"' in page
    assert 'data-theme="dark"' in page
    client.post(reverse("account_logout"))
    door = client.get(reverse("account_login")).content.decode()
    assert 'data-theme="dark"' in door


@pytest.mark.parametrize(
    "form", [{"language": "xx", "theme": "dark"}, {"language": "en", "theme": "pink"}]
)
def test_preferences_that_do_not_exist_are_refused(client_of, alice, form):
    assert client_of(alice).post(reverse("accounts:profile"), form).status_code == 200
    alice.refresh_from_db()
    assert (alice.language, alice.theme) == ("", "system")


def test_a_token_is_shown_once_and_works(client_of, alice):
    client = client_of(alice)
    form = {"name": "laptop", "days": "30", "scopes": ["read"]}
    page = client.post(reverse("accounts:create_token"), form, headers=HTMX)
    plaintext = page.context["plaintext"]
    assert plaintext in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    token = tokens.authenticate(plaintext)
    assert (token.name, token.scopes) == ("laptop", ["read"])
    assert token.expires_at is not None
    later = client.get(reverse("accounts:tokens")).content.decode()
    assert plaintext not in later
    assert f"par_{token.prefix}_" in later


def test_only_administrators_may_give_a_token_administration(client_of, alice, admin):
    form = {"name": "x", "days": "0", "scopes": ["admin"]}
    client_of(alice).post(reverse("accounts:create_token"), form, headers=HTMX)
    assert not ApiToken.objects.exists()
    client_of(admin).post(reverse("accounts:create_token"), form, headers=HTMX)
    assert ApiToken.objects.get().expires_at is None


def test_a_token_is_revoked_by_its_owner_alone(client_of, alice, bob):
    token, plaintext = tokens.issue(alice, "laptop")
    url = reverse("accounts:revoke_token", args=[token.pk])
    assert client_of(bob).post(url).status_code == 404
    assert tokens.authenticate(plaintext) is not None
    client_of(alice).post(url)
    assert tokens.authenticate(plaintext) is None


def test_the_language_switch_works_before_signing_in(client, db):
    answer = client.post(
        reverse("accounts:language"), {"language": "zh-hans", "next": "/accounts/login/"}
    )
    assert answer["Location"] == "/accounts/login/"
    assert 'lang="zh-Hans"' in client.get("/accounts/login/").content.decode()


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"]
)
def test_the_language_switch_never_leads_to_another_site(client, db, target):
    answer = client.post(reverse("accounts:language"), {"language": "en", "next": target})
    assert answer["Location"] == "/"


def test_signing_in_and_out(client, alice):
    door = reverse("account_login")
    wrong = client.post(door, {"login": alice.email, "password": "wrong"})
    assert b'role="alert"' in wrong.content
    right = client.post(door, {"login": alice.email.upper(), "password": PASSWORD})
    assert right["Location"] == "/"
    client.post(reverse("account_logout"))
    assert client.get(reverse("accounts:profile")).status_code == 302


def test_a_password_is_reset_by_mail(client, alice):
    client.post(reverse("account_reset_password"), {"email": alice.email})
    (message,) = mail.outbox
    link = next(word for word in message.body.split() if "/password/reset/key/" in word)
    page = client.get(link, follow=True)
    new = "a new and long pass phrase"
    client.post(page.request["PATH_INFO"], {"password1": new, "password2": new})
    alice.refresh_from_db()
    assert alice.check_password(new)


def test_the_password_is_changed_in_settings(client_of, alice):
    new = "a new and long pass phrase"
    client = client_of(alice)
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    client.post(reverse("account_change_password"), form)
    alice.refresh_from_db()
    assert alice.check_password(new)
    assert client.get(reverse("accounts:profile")).status_code == 200


def test_sign_up_is_closed_unless_it_is_opened(client, db, settings):
    door, place = reverse("account_login"), reverse("account_signup")
    assert "made by the administrator" in client.get(place).content.decode()
    assert place not in client.get(door).content.decode()
    settings.PARLEY_SIGNUP = "open"
    assert f'href="{place}' in client.get(door).content.decode()
    assert 'name="password2"' in client.get(reverse("account_signup")).content.decode()


@pytest.mark.parametrize("name", [*settings.LANGUAGES])
def test_every_language_is_offered_by_its_own_name(client, db, name):
    assert name[1] in client.get(reverse("account_login")).content.decode()
