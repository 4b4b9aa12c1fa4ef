"""Files of the pages as the product serves them: found once, and not asked for by a browser again.

Django's server for tests looks through every app for each of them, at each page anew.
"""

from typing import Any

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandlerMixin
from django.http import HttpRequest, HttpResponse, HttpResponseBase

_found: dict[str, tuple[bytes, str]] = {}
_serve = StaticFilesHandlerMixin.serve


def use(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(StaticFilesHandlerMixin, "serve", _serve_once)


def _serve_once(handler: Any, request: HttpRequest) -> HttpResponseBase:
    if request.path not in _found:
        request.META.pop("HTTP_IF_MODIFIED_SINCE", None)
        file = _serve(handler, request)
        _found[request.path] = b"".join(file), file["Content-Type"]
        file.close()
    content, kind = _found[request.path]
    return HttpResponse(content, content_type=kind, headers={"Cache-Control": "max-age=86400"})
