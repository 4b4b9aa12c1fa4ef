"""What tells a server that it has read the beginning of a prompt before, where it wants to be told.

Most servers see it by themselves. Some route by a key, so that questions of one conversation reach
the machine that remembers it; some cache only up to marks in the messages; vLLM keeps apart what
has different salts, so that nobody can tell by the time of an answer what others ask. None of it is
sent to a server that is not known to take it.
"""

from typing import Any

from django.utils.crypto import salted_hmac

from gateway.controls import Capability
from gateway.types import ChatRequest, Route
from gateway.upstream.servers import Server, server_of

MARK = {"type": "ephemeral"}


def cache_fields(route: Route, request: ChatRequest) -> dict[str, Any]:
    """The fields for this server; none for most."""
    fields = {}
    if request.cache_key and _takes_keys(route):
        fields["prompt_cache_key"] = request.cache_key
    if Capability.CACHE_SALT in route.capabilities:
        fields["cache_salt"] = _salt(request)
    return fields


def mark_stable(route: Route, request: ChatRequest, messages: list[dict[str, Any]]) -> None:
    """Set marks behind the rules and behind the history: the next question begins the same."""
    if not request.cache_key or Capability.CACHE_MARKS not in route.capabilities:
        return
    last = len(request.messages) - 1  # the question, with all that was looked up for it
    for n in sorted({0, last - 1} - {last, -1}):
        if isinstance(messages[n]["content"], str):
            text = {"type": "text", "text": messages[n]["content"], "cache_control": MARK}
            messages[n] = messages[n] | {"content": [text]}


def _takes_keys(route: Route) -> bool:
    if Capability.CACHE_KEY in route.lacks:
        return False
    return Capability.CACHE_KEY in route.capabilities or server_of(route) is Server.OPENAI


def _salt(request: ChatRequest) -> str:
    """One for each account; it says nothing about whose it is."""
    whose = str(request.account_id or "")
    return salted_hmac("gateway.prompt_caching.salt", whose, algorithm="sha256").hexdigest()[:32]
