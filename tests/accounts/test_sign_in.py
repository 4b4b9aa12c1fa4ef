"""The door: sign-in, sign-up, passwords, sessions, languages."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts import services
from accounts.models import User
from security.rate_limits import forget_everybody
from tests.support.cast import PASSWORD

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "a different battery staple 9"


@pytest.fixture(autouse=True)
def _nobody_knocked_before():
    forget_everybody()


def sign_in(client: Client, email: str, password: str = PASSWORD):
    return client.post("/accounts/login/", {"login": email, "password": password})


def without_tokens(html: bytes) -> str:
    text = re.sub(
        r'(csrfmiddlewaretoken" value=|csrf-token" content=)"[^"]+"', r"\1", html.decode()
    )
    return re.sub(r"[\w.+-]+@example\.org", "somebody", text)


def test_s11_the_session_id_changes_when_somebody_signs_in_or_out(alice, client):
    client.get("/accounts/login/")
    session = client.session
    session["visited"] = True
    session.save()
    client.cookies["session"] = session.session_key
    before = session.session_key
    assert sign_in(client, "ALICE@example.org").status_code == 302
    inside = client.cookies["session"].value
    assert inside != before
    client.post("/accounts/logout/")
    thief = Client()
    thief.cookies["session"] = inside
    assert thief.get("/api/v1/me").status_code == 401


def test_s13_known_and_unknown_addresses_get_the_same_answers(alice):
    for path, form in [
        ("/accounts/login/", {"login": "{}", "password": "wrong"}),
        ("/accounts/password/reset/", {"email": "{}"}),
    ]:
        answers = []
        for email in ("alice@example.org", "nobody@example.org"):
            filled = {name: value.format(email) for name, value in form.items()}
            response = Client().post(path, filled)
            answers.append((response.status_code, without_tokens(response.content)))
        assert answers[0] == answers[1], path


def test_sign_up_is_closed_unless_opened(settings, db):
    form = {"email": "new@example.org", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert Client().post("/accounts/signup/", form).status_code == 200
    assert not User.objects.exists()
    settings.PARLEY_SIGNUP = "open"
    assert Client().post("/accounts/signup/", form).status_code == 302
    assert User.objects.get().email == "new@example.org"


def test_a_disabled_person_does_not_get_in(alice):
    services.disable(alice)
    sign_in(client := Client(), alice.email)
    assert client.get("/api/v1/me").status_code == 401


def test_a_password_is_changed_by_who_knows_it(alice, client):
    sign_in(client, alice.email)
    other = Client()
    sign_in(other, alice.email)
    form = {"oldpassword": "wrong", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert client.post("/accounts/password/change/", form).status_code == 200
    form["oldpassword"] = PASSWORD
    assert client.post("/accounts/password/change/", form).status_code == 302
    assert client.get("/api/v1/me").status_code == 200
    assert other.get("/api/v1/me").status_code == 401
    assert sign_in(Client(), alice.email, NEW_PASSWORD).status_code == 302


def test_a_forgotten_password_is_reset_by_a_link_that_works_once(alice, client):
    client.post("/accounts/password/reset/", {"email": alice.email})
    (sent,) = mail.outbox
    link = re.search(r"https?://testserver(\S+)", sent.body)[1]
    form_page = client.get(link, follow=True)
    place = form_page.redirect_chain[-1][0]
    form = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert client.post(place, form).status_code == 302
    assert sign_in(Client(), alice.email, NEW_PASSWORD).status_code == 302
    again = Client().get(link, follow=True)
    assert "password1" not in again.content.decode()


def test_nobody_gets_mail_for_an_address_that_is_not_theirs(alice, client):
    client.post("/accounts/password/reset/", {"email": "nobody@example.org"})
    assert all(alice.email not in sent.to for sent in mail.outbox)


def test_pages_speak_the_language_of_the_person_else_the_cookies_else_the_browsers(alice, client):
    page = "/accounts/login/"
    assert client.get(page)["Content-Language"] == "en"
    chinese = {"Accept-Language": "zh-TW,zh;q=0.9"}
    assert client.get(page, headers=chinese)["Content-Language"] == "zh-hant"
    client.cookies["django_language"] = "zh-hans"
    assert client.get(page, headers=chinese)["Content-Language"] == "zh-hans"
    alice.language = "zh-hant"
    alice.save()
    client.force_login(alice)
    assert client.get("/api/v1/me")["Content-Language"] == "zh-hant"


@pytest.mark.parametrize("page", ["", "email/", "confirm-email/", "reauthenticate/", "login/code/"])
def test_nobody_gives_themselves_another_address(alice, client, page):
    client.force_login(alice)
    form = {"action_add": "", "email": "root@example.org"}
    assert client.get(f"/accounts/{page}").status_code == 404
    assert client.post(f"/accounts/{page}", form).status_code == 404
    assert not EmailAddress.objects.filter(email="root@example.org").exists()


def test_an_address_that_an_administrator_took_away_opens_nothing(alice, admin, client):
    EmailAddress.objects.create(user=alice, email=alice.email, primary=True, verified=True)
    client.force_login(admin)
    place = reverse("admin:accounts_user_change", args=[alice.pk])
    form = dict.fromkeys(("name", "language"), "") | {"theme": "system", "is_active": "on"}
    for inline in ("memberships", "api_tokens"):
        form |= {f"{inline}-TOTAL_FORMS": 0, f"{inline}-INITIAL_FORMS": 0}
    answer = client.post(place, form | {"email": "alice@example.com"})
    assert answer.status_code == 302, answer.content.decode()
    assert sign_in(old := Client(), "alice@example.org").status_code == 200
    assert old.get("/api/v1/me").status_code == 401
    assert sign_in(Client(), "alice@example.com").status_code == 302


def test_with_open_sign_up_a_taken_address_is_refused(alice, settings, client):
    settings.PARLEY_SIGNUP = "open"
    form = {"email": "ALICE@example.org", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert client.post("/accounts/signup/", form).status_code == 200
    assert User.objects.count() == 1
