"""The openai SDK for calls that are not hot, with its errors mapped to ours.

Imported inside the functions: it costs 25 MB and most of a second, and no process needs it to
start or to stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.errors import (
    ContentFiltered,
    EndpointTimeout,
    EndpointUnreachable,
    GatewayError,
    StreamCut,
)
from gateway.types import Route
from gateway.upstream.failures import error_for_exception, error_for_payload
from security.outbound.policy import operator_policy
from security.sentences import Sentence

if TYPE_CHECKING:
    from openai import OpenAI


def open_client(route: Route, timeout: float) -> OpenAI:
    """A client of one endpoint that reads nothing from the environment and never retries.

    Close it (`with`): it owns its connections and belongs to the thread that made it. Raises
    EndpointUnreachable for an address that cannot be one.
    """
    import httpx2  # noqa: PLC0415 - see above
    from openai import OpenAI  # noqa: PLC0415 - see above

    from security.outbound.transport import guarded_client  # noqa: PLC0415 - see above

    try:
        base_url = httpx2.URL(route.base_url)
    except httpx2.InvalidURL as error:
        raise EndpointUnreachable(Sentence("invalid_url")) from error
    return OpenAI(
        base_url=base_url,
        api_key=route.api_key or "none",  # the SDK insists; servers without keys ignore it
        organization="",
        project="",
        timeout=timeout,
        max_retries=0,
        http_client=guarded_client(operator_policy(), timeout),
    )


def typed_error(error: Exception) -> GatewayError:
    """The GatewayError for whatever the SDK raised."""
    import openai  # noqa: PLC0415 - see above

    if isinstance(error, GatewayError):
        return error
    kinds = {
        openai.APITimeoutError: EndpointTimeout,
        openai.LengthFinishReasonError: StreamCut,
        openai.ContentFilterFinishReasonError: ContentFiltered,
    }
    for raised, kind in kinds.items():
        if isinstance(error, raised):
            return kind()
    if isinstance(error, openai.APIStatusError):
        return error_for_payload(error.body, error.status_code, error.response.headers)
    if isinstance(error, openai.APIError) and not isinstance(error, openai.APIConnectionError):
        return error_for_payload(_as_payload(error.body, error.message))
    return error_for_exception(error)


def _as_payload(body: Any, message: str) -> dict[str, Any]:
    return body if isinstance(body, dict) else {"message": message}
