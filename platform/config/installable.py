"""What makes Parley an app that can be installed: its manifest, its service worker, a page for when
there is no network.

The worker's job is the smallest sensible one: it keeps the offline page and the few files that page
needs, under a name that changes with every release. Pages, answers and files of people never go
through a cache of ours.
"""

import json
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.template import loader
from django.templatetags.static import static
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

from observability.version import shell_version

BACKGROUND = "#faf9f7"  # --bg of static/css/tokens.css
AN_HOUR = 3600
OFFLINE_FILES = (
    "css/tokens.css", "css/base.css", "css/components.css", "js/offline.js",
    "vendor/icons.svg", "img/logo.svg", "img/icon-192.png",
)  # fmt: skip
TAGS = {"en": "en", "zh-hans": "zh-Hans", "zh-hant": "zh-Hant"}


@require_GET
@cache_control(max_age=AN_HOUR, public=True)
def manifest(_request: HttpRequest, language: str) -> HttpResponse:
    """W3C Web Application Manifest; the language is in the address, so that it can be cached."""
    _check(language)
    with translation.override(language):
        body = json.dumps(_manifest(language), ensure_ascii=False)
    return HttpResponse(body, content_type="application/manifest+json")


@require_GET
@cache_control(no_cache=True)
def service_worker(request: HttpRequest) -> HttpResponse:
    """At the root, since a worker rules what is below its address; `?language=` names its page."""
    language = request.GET.get("language", settings.LANGUAGE_CODE)
    _check(language)
    offline = f"/offline/{language}"
    app = {
        "cache": f"parley-{shell_version()}-{language}",
        "offline": offline,
        "files": [static(name) for name in OFFLINE_FILES],
        "isOff": not settings.PARLEY_INSTALLABLE,
    }
    body = loader.render_to_string("service-worker.js", {"app": json.dumps(app)})
    return HttpResponse(body, content_type="text/javascript; charset=utf-8")


@require_GET
@cache_control(max_age=AN_HOUR, public=True)
def offline(_request: HttpRequest, language: str) -> HttpResponse:
    """Nobody's page: it is kept in browsers and shown to whoever sits there."""
    _check(language)
    with translation.override(language):
        return HttpResponse(loader.render_to_string("offline.html", {"LANGUAGE_CODE": language}))


def _manifest(language: str) -> dict[str, Any]:
    return {
        "id": "/",
        "name": "Parley",
        "short_name": "Parley",
        "description": _("Answers from your own documents, with the passage behind every claim."),
        "lang": TAGS[language],
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": BACKGROUND,
        "theme_color": BACKGROUND,
        "categories": ["productivity"],
        "icons": [
            _icon("img/icon-192.png", 192),
            _icon("img/icon-512.png", 512),
            _icon("img/icon-maskable-192.png", 192, "maskable"),
            _icon("img/icon-maskable-512.png", 512, "maskable"),
        ],
        "shortcuts": [
            {"name": _("New chat"), "url": "/", "icons": [_icon("img/icon-192.png", 192)]},
            {"name": _("Knowledge"), "url": "/knowledge/"},
            {"name": _("Agents"), "url": "/agents/"},
        ],
    }


def _icon(name: str, size: int, purpose: str = "any") -> dict[str, str]:
    return {
        "src": static(name), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose,
    }  # fmt: skip


def _check(language: str) -> None:
    if language not in TAGS:
        raise Http404
