"""`/health`, `/ready` and `/metrics`: for machines, so without sessions and translations."""

import hmac
import ipaddress

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from observability.metrics import render
from observability.readiness import check_readiness

PROXY_HEADERS = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP")


@never_cache
@require_safe
def health(_request: HttpRequest) -> JsonResponse:
    """This process is alive. Asks nobody, so it stays 200 while Postgres is down."""
    return JsonResponse({"status": "alive"})


@never_cache
@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """Requests may be sent here: 200, or 503 with the checks that fail and why."""
    checks = check_readiness()
    is_ready = all(check.is_ok for check in checks)
    body = {
        "status": "ready" if is_ready else "not ready",
        "checks": {check.name: check.reason or "ok" for check in checks},
    }
    headers = {} if is_ready else {"Retry-After": "2"}
    return JsonResponse(body, status=200 if is_ready else 503, headers=headers)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text for a bearer of PARLEY_METRICS_TOKEN, staff, or, where there is neither a
    token nor a proxy, this machine itself."""
    if not may_read_metrics(request):
        return HttpResponse("Metrics need PARLEY_METRICS_TOKEN as a bearer token.", status=403)
    return HttpResponse(render(), content_type=CONTENT_TYPE_LATEST)


def may_read_metrics(request: HttpRequest) -> bool:
    """Behind a proxy on this machine everybody arrives from here, so being local opens nothing."""
    token = settings.PARLEY_METRICS_TOKEN
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token and hmac.compare_digest(given.encode(), token.encode()):
        return True
    user = getattr(request, "user", AnonymousUser())
    if user.is_active and getattr(user, "is_staff", False):
        return True
    is_proxied = settings.PARLEY_BEHIND_PROXY or any(
        name in request.headers for name in PROXY_HEADERS
    )
    return not token and not is_proxied and _is_loopback(request.META.get("REMOTE_ADDR", ""))


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
