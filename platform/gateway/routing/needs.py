"""What a request demands of whoever answers it, and which routes meet that. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.controls import Capability
from gateway.errors import NoEndpointAllowed
from gateway.types import ChatRequest, PromptMessage, RawMessage, Route
from security.sentences import Sentence

USUAL_ANSWER = 1000  # tokens, where a request sets no limit
PER_MESSAGE = 4  # tokens that a chat template puts around each
IMAGE_TOKENS = 800


@dataclass(frozen=True, slots=True)
class Needs:
    labels: frozenset[str] = frozenset()
    has_images: bool = False
    has_tools: bool = False
    prompt_tokens: int = 0  # an estimate, from the length alone
    answer_tokens: int = USUAL_ANSWER
    longest: int = 0  # tokens of the longest text, where each is read on its own

    @property
    def tokens(self) -> int:
        """What has to fit into the model's context."""
        return (self.longest or self.prompt_tokens) + self.answer_tokens


def needs_of(request: ChatRequest) -> Needs:
    """Costs microseconds: nothing is tokenised."""
    tokens = images = 0
    for message in request.messages:
        length, seen = _size(message)
        tokens += length + seen * IMAGE_TOKENS + PER_MESSAGE
        images += seen
    return Needs(
        labels=request.required_labels,
        has_images=images > 0,
        has_tools=bool(request.tools),
        prompt_tokens=tokens,
        answer_tokens=request.max_tokens or USUAL_ANSWER,
    )


def needs_of_texts(texts: Sequence[str], labels: frozenset[str] = frozenset()) -> Needs:
    """Of texts that are read one by one and answered without words."""
    tokens = [estimate_tokens(text) for text in texts]
    return Needs(labels, prompt_tokens=sum(tokens), answer_tokens=0, longest=max(tokens, default=0))


def estimate_tokens(text: str) -> int:
    """Four characters of English are a token, and less than two of anything else."""
    return len(text) // 4 if text.isascii() else len(text) * 2 // 3


def allowed_routes(routes: Sequence[Route], needs: Needs) -> tuple[Route, ...]:
    """Those that may answer, in their order; raises NoEndpointAllowed when there are none.

    What was never tried counts as possible, but an image goes to those that are known to see, if
    there are any.
    """
    if not routes:
        return ()
    found = [route for route in routes if needs.labels <= route.labels]
    if not found:
        raise NoEndpointAllowed(
            Sentence("labels_demanded", labels=sorted(needs.labels)), labels=needs.labels
        )
    if needs.has_tools:
        found = _able(found, Capability.TOOLS, Sentence("tools"))
    if needs.has_images:
        found = _able(found, Capability.VISION, Sentence("images"))
        found = [route for route in found if route.has_vision] or found
    return tuple(found)


def _able(routes: Sequence[Route], capability: Capability, what: str) -> list[Route]:
    found = [route for route in routes if capability not in route.lacks]
    if not found:
        raise NoEndpointAllowed(Sentence("none_takes", what=what))
    return found


def _size(message: PromptMessage | RawMessage) -> tuple[int, int]:
    """Estimated tokens of the text, and the number of images."""
    if isinstance(message, PromptMessage):
        return estimate_tokens(message.content), len(message.images)
    content = message.get("content")
    if isinstance(content, str):
        return estimate_tokens(content), 0
    if not isinstance(content, list):
        return 0, 0
    parts = [part for part in content if isinstance(part, dict)]
    return sum(_text_tokens(part) for part in parts), sum(map(_is_image, parts))


def _text_tokens(part: dict[str, Any]) -> int:
    text = part.get("text")
    return estimate_tokens(text) if isinstance(text, str) else 0


def _is_image(part: dict[str, Any]) -> bool:
    return part.get("type") in ("image_url", "input_image")
