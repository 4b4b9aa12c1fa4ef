"""Who may answer at all: labels, images, tools."""

import pytest

from gateway.controls import Capability
from gateway.errors import NoEndpointAllowed
from gateway.routing.needs import Needs, allowed_routes, needs_of
from gateway.types import ChatRequest, PromptImage, PromptMessage

from .scenes import route

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}


def names(routes):
    return [where.endpoint for where in routes]


def test_every_label_is_needed_and_the_error_names_them():
    eu = route("eu", labels=frozenset({"eu"}))
    both = route("both", labels=frozenset({"eu", "secret"}))
    wanted = Needs(labels=frozenset({"eu", "secret"}))
    assert names(allowed_routes([eu, both, route()], wanted)) == ["both"]
    with pytest.raises(NoEndpointAllowed, match="eu, secret") as raised:
        allowed_routes([eu, route()], wanted)
    assert raised.value.labels == {"eu", "secret"}
    assert not raised.value.may_switch
    assert not raised.value.is_outage


def test_without_any_route_nothing_is_refused():
    assert allowed_routes([], Needs(labels=frozenset({"eu"}))) == ()


def test_images_go_to_those_that_see():
    seeing = route("seeing", has_vision=True)
    blind = route("blind", lacks=frozenset({Capability.VISION}))
    untried = route("untried")
    wanted = Needs(has_images=True)
    assert names(allowed_routes([blind, untried, seeing], wanted)) == ["seeing"]
    assert names(allowed_routes([blind, untried], wanted)) == ["untried"]
    with pytest.raises(NoEndpointAllowed, match="images"):
        allowed_routes([blind], wanted)


def test_tools_go_nowhere_where_they_are_known_to_fail():
    without = route("without", lacks=frozenset({Capability.TOOLS}))
    assert names(allowed_routes([without, route("untried")], Needs(has_tools=True))) == ["untried"]
    with pytest.raises(NoEndpointAllowed, match="tools"):
        allowed_routes([without], Needs(has_tools=True))


@pytest.mark.parametrize(
    ("message", "tokens", "images"),
    [
        (PromptMessage("user", "x" * 400), 104, False),
        (PromptMessage("user", "字" * 300), 204, False),
        (PromptMessage("user", "", (PromptImage("image/png", b""),)), 804, True),
        ({"role": "user", "content": [{"type": "text", "text": "x" * 400}, IMAGE]}, 904, True),
        ({"role": "assistant", "content": None, "tool_calls": []}, 4, False),
        ({"role": "user", "content": ["nonsense", 7]}, 4, False),
    ],
)
def test_the_size_of_a_request_is_estimated(message, tokens, images):
    needs = needs_of(ChatRequest("m", (message,), max_tokens=7))
    assert (needs.prompt_tokens, needs.answer_tokens, needs.has_images) == (tokens, 7, images)
