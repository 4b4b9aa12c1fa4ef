"""Error pages: in three languages, with an id to ask under; the same sentence for scripts."""

import re

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.test import Client
from django.urls import get_resolver

from config.error_pages import PAGES
from security.rate_limits import Action, LimitReached

pytestmark = pytest.mark.django_db
LANGUAGES = {"en": "en", "zh-Hans": "zh-Hans", "zh-Hant": "zh-Hant"}
RAISED = {
    400: SuspiciousOperation("x"),
    403: PermissionDenied(),
    413: RequestDataTooBig("x"),
    500: ValueError("a secret of ours"),
}


def browser() -> Client:
    return Client(raise_request_exception=False)


@pytest.fixture
def page_that_raises(monkeypatch, alice):
    """The settings page of somebody, with an error in it."""
    assert get_resolver().url_patterns
    client = browser()
    client.force_login(alice)

    def fetch(error, **headers):
        def fail(*_arguments, **_options):
            raise error

        monkeypatch.setattr("accounts.views.PreferencesForm", fail)
        return client.get("/settings/", headers=headers)

    return fetch


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("status", RAISED)
def test_a_page_says_what_happened_and_names_its_id(page_that_raises, status, language):
    response = page_that_raises(RAISED[status], **{"Accept-Language": language})
    text = response.content.decode()
    assert response.status_code == status
    assert f'lang="{LANGUAGES[language]}"' in text
    assert bool(re.search("[一-鿿]", text)) == (language != "en")
    assert response["X-Request-ID"] in text
    assert "a secret of ours" not in text
    assert "<script" not in text


@pytest.mark.parametrize("headers", [{"HX-Request": "true"}, {"Accept": "application/json"},
                                     {"Sec-Fetch-Dest": "empty"}])  # fmt: skip
def test_a_script_hears_the_same_sentence(page_that_raises, headers):
    response = page_that_raises(PermissionDenied(), **headers)
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["detail"] == str(PAGES[403][2])


def test_an_address_that_is_nowhere():
    response = browser().get("/nowhere", headers={"Accept-Language": "zh-Hant"})
    assert response.status_code == 404
    assert 'lang="zh-Hant"' in response.content.decode()


def test_a_form_that_is_too_old_is_told_so():
    client = Client(enforce_csrf_checks=True)
    response = client.post("/settings/language", {"language": "en"})
    assert response.status_code == 403
    assert "open for too long" in response.content.decode()


def test_too_many_requests_say_how_long_to_wait(page_that_raises):
    response = page_that_raises(LimitReached(Action.SEARCHES, 7))
    assert response.status_code == 429
    assert response["Retry-After"] == "7"
    assert "7" in response.content.decode()


def test_the_theme_of_the_browser_is_kept(settings):
    client = browser()
    client.cookies[settings.THEME_COOKIE_NAME] = "dark"
    assert 'data-theme="dark"' in client.get("/nowhere").content.decode()
