"""Every address that the process answers, found by walking the URLconf."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from chat.live.routing import websocket_urlpatterns
from config.api import api


def list_routes() -> set[str]:
    """`METHOD pattern` for operations of the API, `pattern` for everything else."""
    pages = {f"{prefix}" for prefix, _ in _walk(get_resolver().url_patterns, "")}
    operations = {
        f"{method} api/v1{bound.prefix}/{path.strip('/')}".replace("{", "<").replace("}", ">")
        for bound in api._get_bound_routers()
        for path, view in bound.path_operations.items()
        for operation in view.operations
        for method in operation.methods
    }
    covered = {operation.split(" ", 1)[1] for operation in operations}
    sockets = {f"WS {pattern.pattern}" for pattern in websocket_urlpatterns}
    return (pages - covered) | operations | sockets


def _walk(patterns: list[Any], prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        place = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, place)
        else:
            yield place, pattern
