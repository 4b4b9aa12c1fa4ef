"""Counts what browsers report about the content security policy (CSP level 3, section 5).

Only the name of the directive is kept, as a label of a metric: a report's addresses and samples
may hold what somebody reads or writes here.
"""

import orjson
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from observability.metrics import csp_violations
from security.rate_limits import Action, LimitReached, network_of, spend
from security.rates import Per

MAX_BYTES = 16 * 1024
MAX_REPORTS = 20  # of one request
DIRECTIVES = frozenset(
    {
        *("base-uri", "child-src", "connect-src", "default-src", "font-src", "form-action"),
        *("frame-ancestors", "frame-src", "img-src", "manifest-src", "media-src", "object-src"),
        *("script-src", "script-src-attr", "script-src-elem", "style-src", "style-src-attr"),
        *("style-src-elem", "worker-src"),
    }
)


@csrf_exempt
@require_POST
def count_violations(request: HttpRequest) -> HttpResponse:
    """Takes what a `report-uri` or a `report-to` sends, and always answers 204."""
    address = network_of(request.META.get("REMOTE_ADDR", ""))
    try:
        spend(Action.REPORTS, {Per.ADDRESS: address})
    except LimitReached:
        return HttpResponse(status=204)
    if int(request.META.get("CONTENT_LENGTH") or 0) <= MAX_BYTES:
        for directive in _directives(request.body):
            known = directive if directive in DIRECTIVES else "other"
            csp_violations.labels(known).inc()
    return HttpResponse(status=204)


def _directives(body: bytes) -> list[str]:
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError:
        return []
    if isinstance(sent, dict):
        report = sent.get("csp-report")
        return [_directive(report, "effective-directive", "violated-directive")]
    reports = sent[:MAX_REPORTS] if isinstance(sent, list) else []
    bodies = [item.get("body") for item in reports if isinstance(item, dict)]
    return [_directive(body, "effectiveDirective") for body in bodies]


def _directive(report: object, *names: str) -> str:
    """Of `script-src 'self'` the name."""
    found = [report.get(name) for name in names] if isinstance(report, dict) else []
    return next((value.split(" ")[0] for value in found if value and isinstance(value, str)), "")
