"""One answer over several scripted endpoints: what came, what was metered, how it ended."""

import asyncio
import re
import uuid
from contextlib import ExitStack

from gateway.chat import stream_chat
from gateway.errors import GatewayError
from gateway.routing.board import current_board
from gateway.types import ChatRequest, Chunk, PromptMessage, Route, TextDelta, Timeouts
from gateway.upstream.session import close_pool
from tests.support.model_server import ModelServer

FAST = Timeouts(connect=1, first_token=1, idle=0.4, total=20)
TEXT = (
    "A lease lasts thirty seconds, and is renewed every ten. When its holder dies, nobody renews "
    "it; after that, another runner may claim the stream.\n\n租约三十秒，每十秒续约一次。 "
    "The fence grows with every claim, so what was thought dead cannot write any more.\n"
)


class Endpoints:
    """Scripted servers with a route each: `endpoints.one`, `endpoints.routes`."""

    def __init__(self, *names, **fields):
        self._stack = ExitStack()
        self.servers = {name: self._stack.enter_context(ModelServer()) for name in names}
        self.routes = {
            name: Route(
                "m", "up", name, server.url, timeouts=FAST, endpoint_id=uuid.uuid4(),
                deployment_id=uuid.uuid4(), max_concurrency=50, priority=n, **fields,
            )
            for n, (name, server) in enumerate(self.servers.items())
        }  # fmt: skip

    def __getattr__(self, name):
        return self.servers[name]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()


class Talk:
    """Streams one answer, over the routes in the order of their names."""

    def __init__(self, routes, **request):
        self.routes = tuple(routes.values() if isinstance(routes, dict) else routes)
        fields = {"messages": (PromptMessage("user", "How long is a lease?"),)}
        self.request = ChatRequest("m", **(fields | request))
        self.items, self.calls, self.error = [], [], None

    async def find_routes(self, _name):
        return self.routes

    async def record(self, call):
        self.calls.append(call)

    async def listen(self):
        try:
            async for item in stream_chat(
                self.request, routes=self.find_routes, record=self.record
            ):
                self.items.append(item)
        except GatewayError as error:
            self.error = error
        return self

    def run(self):
        """In an event loop of its own, as in a process of its own."""
        return in_a_loop(self.listen)

    def of(self, kind):
        return [item for item in self.items if isinstance(item, kind)]

    @property
    def text(self):
        return "".join(item.text for item in self.items if isinstance(item, TextDelta | Chunk))

    @property
    def outcomes(self):
        return [(call.endpoint, call.outcome) for call in self.calls]


def in_a_loop(scenario):
    async def run():
        try:
            return await scenario()
        finally:
            await close_pool()

    return asyncio.run(run())


async def look_again(*routes):
    """Let the board of this loop learn what the other processes know."""
    board = current_board()
    board._looked_at = 0.0
    board.look(routes)
    await board._syncing


def goes_on(text=TEXT, repeats=None):
    """The rest of the text behind what the request says was said, as a model would write it.

    Without a prefix it repeats what it is asked to, or `repeats` characters.
    """

    def write(body):
        *_rest, last = body["messages"]
        if last["role"] == "assistant":
            return text[len(last["content"]) :]
        said = next((m["content"] for m in body["messages"] if m["role"] == "assistant"), "")
        if not said:
            return text
        anchor = re.split(r"exactly these: ", last["content"], maxsplit=1)[1]
        start = len(said) - repeats if repeats is not None else said.rindex(anchor)
        return text[start:]

    return write
