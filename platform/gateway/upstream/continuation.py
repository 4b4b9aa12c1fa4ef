"""Going on behind a beginning: as an unfinished message where the server can, else by request."""

from typing import Any

from gateway.controls import Capability
from gateway.errors import UnsupportedControl
from gateway.routing.seam import anchor_of
from gateway.types import ChatRequest, Route
from gateway.upstream.servers import VLLMS, Server, server_of
from gateway.upstream.structure import demanded_form
from security.sentences import Sentence

# The words that are repeated show where its answer begins; gateway.routing.seam drops them.
GO_ON = (
    "Your answer above was cut off by a technical fault. Go on with it and say nothing about the "
    "interruption. Begin by repeating its last words, exactly these: {anchor}"
)


def continuation(route: Route, request: ChatRequest) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Messages to append, and fields to add, so that the answer goes on behind `continues`.

    Raises UnsupportedControl for an answer of a demanded form: its second half is none.
    """
    if not request.continues:
        return [], {}
    if form := demanded_form(request.controls):
        raise UnsupportedControl(Sentence("cannot_continue"), control=form)
    begun: dict[str, Any] = {"role": "assistant", "content": request.continues}
    anchor = anchor_of(request.continues)
    if Capability.PREFIX not in route.capabilities:
        return [begun, {"role": "user", "content": GO_ON.format(anchor=anchor)}], {}
    return [begun | _marks(server_of(route))], prefix_fields(route)


def _marks(server: Server) -> dict[str, Any]:
    return {"prefix": True} if server in {Server.MISTRAL, Server.DEEPSEEK} else {}


def prefix_fields(route: Route) -> dict[str, Any]:
    """What tells the server that the last message is unfinished."""
    server = server_of(route)
    if server in VLLMS or server is Server.SGLANG:
        return {"continue_final_message": True, "add_generation_prompt": False}
    if server is Server.LLAMA_CPP and Capability.REASONING in route.capabilities:
        return {"chat_template_kwargs": {"enable_thinking": False}}  # it refuses both together
    return {}
