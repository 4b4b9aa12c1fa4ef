"""Which pages may open a socket: only our own (a browser sends cookies along from any page)."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host


def is_own_origin(scope: dict[str, Any]) -> bool:
    """Whether the handshake has exactly one Origin, and it is exactly this site's."""
    origins = _headers(scope, b"origin")
    if len(origins) != 1:
        return False
    if settings.PARLEY_URL:
        public = urlsplit(settings.PARLEY_URL)
        return origins[0] == f"{public.scheme}://{public.netloc}"
    hosts = _headers(scope, b"host")
    if len(hosts) != 1 or not validate_host(_without_port(hosts[0]), settings.ALLOWED_HOSTS):
        return False
    scheme = "https" if scope.get("scheme") in {"wss", "https"} else "http"
    return origins[0] == f"{scheme}://{hosts[0]}"


def _headers(scope: dict[str, Any], name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host
