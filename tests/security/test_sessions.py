"""Sign-in, cookies and credentials as a stranger finds them."""

import http.client
import re
import statistics
import time
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.test import Client

from accounts.models import User
from config import preparation
from security.rate_limits import forget_everybody
from tests.support.cast import PASSWORD

SLOW_HASH = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
USUAL = ("admin", "password", "parley", "changeme", "secret", "postgres", "123456", "")


class QuickHash(PBKDF2PasswordHasher):
    iterations = 200_000


@pytest.fixture(autouse=True)
def _nobody_knocked_before():
    forget_everybody()


@pytest.mark.django_db
def test_s14_a_fresh_installation_has_no_usual_password(capsys):
    preparation.ensure_administrator()
    owner = User.objects.get()
    said = capsys.readouterr().out

    assert not any(authenticate(email=owner.email, password=guess) for guess in USUAL)
    assert not owner.check_password(owner.email)
    password = next(line.split()[-1] for line in said.splitlines() if "password" in line)
    assert len(set(password) - {"-"}) >= 6
    assert len(password.replace("-", "")) >= 20
    assert User.objects.filter(is_active=True).count() == 1


@pytest.mark.django_db
def test_s13_an_unknown_address_takes_as_long_as_a_known_one(settings):
    """The medians lie within a factor of two; without the dummy hash it would be fifty."""
    settings.PASSWORD_HASHERS = [f"{__name__}.QuickHash"]
    settings.PARLEY_LIMITS = settings.PARLEY_LIMITS | {"sign_in": ()}
    User.objects.create_user("known@example.org", PASSWORD)
    took = {"known": [], "unknown": []}
    for _ in range(5):
        for who, times in took.items():
            began = time.process_time()
            form = {"login": f"{who}@example.org", "password": "wrong"}
            assert Client().post("/accounts/login/", form).status_code == 200
            times.append(time.process_time() - began)
    known, unknown = (statistics.median(times) for times in took.values())
    assert 0.5 < known / unknown < 2


@pytest.mark.django_db
def test_s09_the_cookie_of_a_session_that_is_over_opens_nothing(alice):
    client = Client()
    client.force_login(alice)
    stolen = Client()
    stolen.cookies[django_settings.SESSION_COOKIE_NAME] = client.cookies[
        django_settings.SESSION_COOKIE_NAME
    ].value
    assert stolen.get("/api/v1/me").status_code == 200
    client.post("/accounts/logout/")
    assert stolen.get("/api/v1/me").status_code == 401
    assert stolen.get("/").status_code == 302


# -- behind a proxy with TLS, as in production ------------------------------------------------

ORIGIN = "https://parley.example.org"  # of secure_port
PROXIED = {"Host": "parley.example.org", "X-Forwarded-Proto": "https"}


class Browser:
    """Talks to one process as its proxy would, and keeps the cookies it is given."""

    def __init__(self, port):
        self.port = port
        self.cookies = SimpleCookie()

    def __call__(self, method, path, form=None, **headers):
        kept = "; ".join(f"{name}={morsel.value}" for name, morsel in self.cookies.items())
        sent = PROXIED | {"X-Real-IP": "192.0.2.1", "Referer": f"{ORIGIN}/", "Cookie": kept}
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        link.request(method, path, urlencode(form) if form else None, sent | headers)
        answer = link.getresponse()
        self.body = answer.read().decode()
        for line in answer.headers.get_all("Set-Cookie", []):
            self.cookies.load(line)
        link.close()
        return answer


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_s24_every_cookie_is_bound_to_this_host_and_to_https(secure_port, settings):
    settings.PASSWORD_HASHERS = SLOW_HASH
    person = User.objects.create_user("alice@example.org", PASSWORD)
    browser = Browser(secure_port)
    browser("GET", "/accounts/login/")
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', browser.body)[1]
    form = {"login": person.email, "password": PASSWORD, "csrfmiddlewaretoken": token}
    assert browser("POST", "/accounts/login/", form, Origin=ORIGIN).status == 302
    browser("GET", "/settings/")
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', browser.body)[1]
    form = {"name": "A", "language": "zh-hans", "theme": "dark", "csrfmiddlewaretoken": token}
    assert browser("POST", "/settings/", form, Origin=ORIGIN).status == 302

    assert set(browser.cookies) == {
        "__Host-session", "__Host-csrf", "__Host-language", "__Host-theme",
    }  # fmt: skip
    for name, cookie in browser.cookies.items():
        assert cookie["secure"], name
        assert cookie["httponly"], name
        assert cookie["samesite"] in {"Lax", "Strict"}, name
        assert (cookie["path"], cookie["domain"]) == ("/", ""), name
    assert browser("POST", "/settings/", form, Origin="https://evil.example").status == 403
    assert browser("GET", "/").headers["Strict-Transport-Security"]


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_s43_only_the_header_of_our_proxy_names_the_client(secure_port):
    def reports():
        browser("GET", "/metrics", Authorization="Bearer scrape")
        found = re.search(r'csp_violations_total{directive="img-src"} (\S+)', browser.body)
        return float(found[1]) if found else 0

    browser, body = Browser(secure_port), '{"csp-report": {"effective-directive": "img-src"}}'
    before = reports()
    for number in range(6):  # one client, which writes what it likes
        forged = {"X-Forwarded-For": f"10.0.0.{number}", "Forwarded": f"for=10.0.0.{number}"}
        assert post(secure_port, body, PROXIED | {"X-Real-IP": "192.0.2.9"} | forged) == 204
    once = reports() - before
    assert 1 <= once <= 3
    for number in range(6):  # six clients
        assert post(secure_port, body, PROXIED | {"X-Real-IP": f"198.51.100.{number}"}) == 204
    assert reports() - before - once == 6


def post(port, body, headers):
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    link.request("POST", "/csp-report", body, headers | {"Content-Type": "application/csp-report"})
    status = link.getresponse().status
    link.close()
    return status
