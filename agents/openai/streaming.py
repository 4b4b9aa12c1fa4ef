"""An answer as server-sent events.

An error before the first word is a response with its own status. While an endpoint is silent for
long the response begins without one, with comments that keep proxies patient; from then on an
error is an event, and the stream ends behind it. Nothing is raised once the response has begun.
"""

from collections.abc import AsyncGenerator, Callable

import orjson
from django.http import HttpRequest, StreamingHttpResponse

from agents.openai.errors import ApiError, told
from agents.openai.pump import Pump
from observability.db import release_thread

SILENT_SECONDS = 15.0
COMMENT = b": still here\n\n"
DONE = b"data: [DONE]\n\n"
AsEvent = Callable[[ApiError], bytes]


def event(data: bytes, name: str = "") -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), data) if name else b"data: %s\n\n" % data


def error_event(error: ApiError) -> bytes:
    return event(orjson.dumps(error.body))


async def stream(
    request: HttpRequest,
    source: AsyncGenerator[bytes, None],
    as_event: AsEvent = error_event,
) -> StreamingHttpResponse:
    """The response of a source of events; raises what the source raised before its first one.

    However it ends, also when the client leaves, the source is closed.
    """
    pump = Pump(source)
    try:
        has_begun = await pump.has_begun(SILENT_SECONDS)
    except BaseException:
        await pump.close()
        raise
    place = f"{request.method} {request.path}"
    response = StreamingHttpResponse(
        _body(pump, place, as_event, has_begun=has_begun),
        content_type="text/event-stream; charset=utf-8",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
    # The body of a response that is never read never begins, and cannot close what it would read.
    response._resource_closers.append(pump.close_soon)  # type: ignore[attr-defined]
    return response


async def _body(
    pump: Pump, place: str, as_event: AsEvent, *, has_begun: bool
) -> AsyncGenerator[bytes, None]:
    try:
        await release_thread()
        while not has_begun:
            yield COMMENT
            has_begun = await pump.has_begun(SILENT_SECONDS)
        while part := await pump.take():
            yield part
    except Exception as error:  # noqa: BLE001 - Daphne must never see one: the client would hang
        yield as_event(told(error, place))
    finally:
        await pump.close()
