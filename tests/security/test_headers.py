"""What every response says to a browser, and what no page holds."""

import http.client
import re
import socket
from html.parser import HTMLParser

import pytest
from django.conf import settings as django_settings
from django.test import Client

from knowledge.services import create_collection

PAGES = [
    "/", "/accounts/login/", "/accounts/password/reset/", "/accounts/signup/", "/knowledge/",
    "/knowledge/search/", "/agents/", "/settings/", "/settings/tokens/",
    "/accounts/password/change/", "/nowhere", "/admin/", "/admin/accounts/user/",
    "/admin/gateway/endpoint/add/", "/api/v1/docs",
]  # fmt: skip
OTHERS = ["/health", "/ready", "/metrics", "/api/v1/me", "/api/v1/nowhere", "/api/v1/openapi.json"]
WHOLE_POLICY = {
    "default-src": {"'none'"}, "object-src": {"'none'"}, "base-uri": {"'none'"},
    "frame-ancestors": {"'none'"}, "img-src": {"'self'", "data:", "blob:"},
    "script-src": {"'self'"}, "style-src": {"'self'"}, "form-action": {"'self'"},
    "connect-src": {"'self'"}, "report-uri": {"/csp-report"},
}  # fmt: skip


def policy(response):
    parts = [part.split() for part in response["Content-Security-Policy"].split(";")]
    return {name: set(sources) for name, *sources in parts}


class Inline(HTMLParser):
    """Finds what the policy would stop: scripts and styles in the page, handlers, javascript:."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        is_data = attributes.get("type") in {"application/json", "importmap-shim"}
        if tag == "style" or (tag == "script" and "src" not in attributes and not is_data):
            self.found.append(tag)
        for name, value in attributes.items():
            scripted = (value or "").strip().lower().startswith("javascript:")
            if name.startswith("on") or name == "style" or scripted:
                self.found.append(f"{tag} {name}={value}")


def check_headers(headers):
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES)
def test_s21_no_page_needs_or_allows_inline_script(admin, path):
    client = Client(raise_request_exception=False)
    if not path.startswith("/accounts/") or "change" in path:
        client.force_login(admin)
    if path == "/knowledge/":
        create_collection(admin, "Handbook")
    response = client.get(path)
    assert response["Content-Type"].startswith("text/html"), response.status_code
    given = policy(response)
    for name, sources in WHOLE_POLICY.items():
        assert given[name] <= sources, name
    assert "unsafe" not in response["Content-Security-Policy"]
    assert Inline(response.content.decode()).found == []


@pytest.mark.django_db
@pytest.mark.parametrize("path", [*PAGES, *OTHERS])
def test_s22_every_response_of_the_application_has_the_safe_headers(client, path):
    check_headers(client.get(path))


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/static/css/base.css", {}, {200}),
        ("GET", "/health", {"Host": "evil.example"}, {400}),
        ("GET", "/health", {"X-A": "1\x0bOrigin: x"}, {400}),
        ("POST", "/", {"Content-Length": "300000000"}, {413}),
        ("TRACE", "/", {}, {302, 400, 405}),
    ],
)
def test_s22_what_the_server_itself_answers_has_them_too(
    secure_port, method, path, headers, status
):
    host = {} if "Host" in headers else {"Host": "parley.example.org"}
    lines = [f"{method} {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in (host | headers).items()]
    with socket.create_connection(("127.0.0.1", secure_port), timeout=30) as client:
        client.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1"))
        answer = http.client.HTTPResponse(client, method=method)
        answer.begin()
        assert answer.status in status
        check_headers(answer.headers)


def test_s07_cookies_and_origins_are_checked_by_name():
    """What would loosen every check above at once."""
    assert "*" not in django_settings.ALLOWED_HOSTS
    assert not [name for name in django_settings.INSTALLED_APPS if re.search("cors", name)]
