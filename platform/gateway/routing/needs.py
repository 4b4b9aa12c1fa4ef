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
    characters: int = 0
    octets: int = 0  # of these characters as UTF-8: Chinese has three each
    fixed_tokens: int = 0  # that no character is counted for: images, and what templates put around

    @property
    def tokens(self) -> int:
        """What has to fit into the model's context."""
        return (self.longest or self.prompt_tokens) + self.answer_tokens


def needs_of(request: ChatRequest) -> Needs:
    """Costs microseconds: nothing is tokenised."""
    tokens = images = characters = octets = 0
    for message in request.messages:
        texts, seen = _parts(message)
        images += seen
        for text in texts:
            tokens += estimate_tokens(text)
            characters += len(text)
            octets += len(text) if text.isascii() else len(text.encode(errors="replace"))
    fixed = images * IMAGE_TOKENS + len(request.messages) * PER_MESSAGE
    return Needs(
        labels=request.required_labels,
        has_images=images > 0,
        has_tools=bool(request.tools),
        prompt_tokens=tokens + fixed,
        answer_tokens=request.max_tokens or USUAL_ANSWER,
        characters=characters,
        octets=octets,
        fixed_tokens=fixed,
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


def texts_of(request: ChatRequest) -> list[str]:
    """All that is to be read, without images."""
    return [text for message in request.messages for text in _parts(message)[0]]


def _parts(message: PromptMessage | RawMessage) -> tuple[list[str], int]:
    """The texts, and the number of images."""
    if isinstance(message, PromptMessage):
        return [message.content], len(message.images)
    content = message.get("content")
    if isinstance(content, str):
        return [content], 0
    if not isinstance(content, list):
        return [], 0
    parts = [part for part in content if isinstance(part, dict)]
    texts = [part["text"] for part in parts if isinstance(part.get("text"), str)]
    return texts, sum(map(_is_image, parts))


def _is_image(part: dict[str, Any]) -> bool:
    return part.get("type") in ("image_url", "input_image")
