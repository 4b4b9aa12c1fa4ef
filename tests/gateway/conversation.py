"""One question to scripted endpoints on loopback: what came of it, and what was metered."""

import asyncio

from gateway.chat import stream_chat
from gateway.errors import (
    GatewayError,
)
from gateway.types import (
    ChatRequest,
    PassageText,
    PromptMessage,
    Route,
    TextDelta,
    Timeouts,
)
from gateway.upstream.session import close_pool

TEXT = "Streams of “text”, 你好 and 🚀, arrive in order. " * 5
PASSAGE = PassageText(1, "Parley", "The runner holds a lease of thirty seconds on each turn.")
QUESTION = "How many seconds is the lease of the runner?"
FAST = Timeouts(connect=1, first_token=0.3, idle=0.3, total=5)


def route(server, **changes):
    fields = {"model": "m", "upstream_name": "up", "endpoint": "one", "base_url": server.url}
    return Route(**(fields | {"api_key": "sk-0123456789abcdef"} | changes))


class Conversation:
    """Streams one answer; keeps what came, the calls that were metered, and the error."""

    def __init__(self, *routes, **request):
        self.routes = routes
        self.items = []
        self.calls = []
        self.error = None
        fields = {"messages": (PromptMessage("user", QUESTION),), "question": QUESTION}
        self.request = ChatRequest("m", **(fields | {"passages": (PASSAGE,)} | request))

    async def find_routes(self, name):
        return self.routes

    async def record(self, call):
        self.calls.append(call)

    def stream(self):
        return stream_chat(self.request, routes=self.find_routes, record=self.record)

    async def listen(self):
        try:
            async for item in self.stream():
                self.items.append(item)
        except GatewayError as error:
            self.error = error
        finally:
            await close_pool()

    def run(self):
        asyncio.run(self.listen())
        return self

    def text(self, kind=TextDelta):
        return "".join(item.text for item in self.items if isinstance(item, kind))

    def of(self, kind):
        return [item for item in self.items if isinstance(item, kind)]

    @property
    def outcomes(self):
        return [call.outcome for call in self.calls]
