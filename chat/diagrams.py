"""The frame in which diagrams are drawn: a page without an origin, a session or a network."""

from typing import Any

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

# mermaid measures with styles of its own, which is why it is not let into our pages. Nothing can
# be loaded or sent from here, and the sandbox holds wherever the page is opened.
POLICY: dict[str, Any] = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [UNSAFE_INLINE],
    "frame-ancestors": [SELF],
    "base-uri": [NONE],
    "form-action": [NONE],
    "sandbox": ["allow-scripts"],
}


@require_GET
@cache_control(max_age=300)
@xframe_options_sameorigin
@csp(POLICY)
def frame(request: HttpRequest) -> HttpResponse:
    return render(request, "chat/diagram_frame.html")
