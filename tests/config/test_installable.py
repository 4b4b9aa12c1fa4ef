"""Manifest, service worker and offline page, as a browser asks for them."""

import json

import pytest
from django.test import Client

from config.installable import OFFLINE_FILES

LANGUAGES = ("en", "zh-hans", "zh-hant")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_manifest_has_what_an_installation_needs(client: Client, language):
    response = client.get(f"/manifest/{language}.webmanifest")
    assert response["Content-Type"] == "application/manifest+json"
    manifest = json.loads(response.content)
    assert manifest["name"] == "Parley"
    assert (manifest["start_url"], manifest["scope"], manifest["id"]) == ("/", "/", "/")
    assert manifest["display"] == "standalone"
    assert manifest["lang"].lower() == language
    sizes = {(icon["sizes"], icon["purpose"]) for icon in manifest["icons"]}
    assert {("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")} <= sizes
    assert [shortcut["url"] for shortcut in manifest["shortcuts"]] == [
        "/",
        "/knowledge/",
        "/agents/",
    ]
    assert "Cookie" not in response.cookies


def test_the_worker_keeps_its_own_page_and_files_and_nothing_else(client: Client):
    response = client.get("/service-worker.js?language=zh-hant")
    assert response["Content-Type"].startswith("text/javascript")
    assert response["Cache-Control"] == "no-cache"
    text = response.content.decode()
    app = json.loads(text.split("const app = ")[1].split(";\n")[0])
    assert app["offline"] == "/offline/zh-hant"
    assert len(app["files"]) == len(OFFLINE_FILES)
    assert all(name.startswith("/static/") for name in app["files"])
    assert not app["isOff"]
    assert ".put(" not in text, "nothing is kept while people work"


def test_it_can_be_switched_off(client: Client, settings):
    settings.PARLEY_INSTALLABLE = False
    assert '"isOff": true' in client.get("/service-worker.js").content.decode()
    assert b'rel="manifest"' not in client.get("/accounts/login/").content


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_offline_page_is_nobodys(client: Client, language):
    response = client.get(f"/offline/{language}")
    assert f'lang="{language[:4]}'.encode() in response.content.lower() or language == "en"
    assert not response.cookies
    assert b'csrf-token" content=""' in response.content


def test_other_languages_are_nowhere(client: Client):
    for path in ("/manifest/fr.webmanifest", "/offline/fr", "/service-worker.js?language=fr"):
        assert client.get(path).status_code == 404
