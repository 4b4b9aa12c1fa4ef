"""`stream_chat`: one question to a model, whoever serves it, and somebody always answers.

The model's strategy says who is asked first; the others follow when that fails, and go on behind
what was said already, so that the reader sees one answer. When every deployment of a connected
model is out of order before the first word, the offline answerer stands in. An EndpointSwitched
tells who answers instead of whom, before the next word.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from gateway.complexity.choosing import narrow
from gateway.errors import BudgetExhausted, GatewayError
from gateway.metering.recording import record_call
from gateway.offline.answerer import stream_offline
from gateway.routing.board import current_board
from gateway.routing.cheaper import go_on
from gateway.routing.course import Course
from gateway.routing.routes import find_routes
from gateway.types import OFFLINE, ChatRequest, FindRoutes, RecordCall, StreamItem


async def stream_chat(
    request: ChatRequest,
    *,
    routes: FindRoutes = find_routes,
    record: RecordCall = record_call,
) -> AsyncGenerator[StreamItem, None]:
    """Yield deltas and, last, Completed; raise GatewayError when the answer fails.

    What was yielded before an error has been said and stays valid. Close the iterator (`aclosing`)
    to stop: the connection upstream is closed at once. No database connection is held meanwhile.
    """
    found = await routes(request.model)
    if found:
        because = ""
        if found[0].alias:
            found, because = await narrow(request, found, chat=stream_chat, find_routes=routes)
        board = current_board()
        course = Course(request, found, board, because)
        while (attempt := await course.next()) is not None:
            route = attempt.route
            if switched := course.switch_to(route.endpoint, route.model):
                yield switched
            try:
                async with aclosing(attempt.stream(board, record)) as items:
                    async for item in items:
                        yield item
            except BudgetExhausted as error:
                course = await go_on(course, attempt, error, routes)
            except GatewayError as error:
                course.note(attempt, error)
            else:
                yield course.completed(attempt)
                return
        if switched := course.switch_to(OFFLINE):
            yield switched
    async with aclosing(stream_offline(request, stands_in=bool(found))) as items:
        async for item in items:
            yield item
