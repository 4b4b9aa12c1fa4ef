"""Which of the attached images a model is shown, and how large.

Images go to models that see, smaller ones if there are many.
"""

from collections.abc import Sequence
from contextlib import suppress

from django.http import Http404

from agents.types import AgentTask, AttachedFile, AttachmentUse, Use
from knowledge.pictures import Stored, find_picture
from knowledge.types import Drawn
from security.sentences import Sentence

PIXELS_PER_TOKEN = 750


def show_images(
    task: AgentTask, files: Sequence[AttachedFile], budget: int, sees: bool
) -> tuple[list[Drawn], list[AttachmentUse]]:
    """The images to send, and how each was used; none to a model that sees nothing."""
    if not sees:
        blind = [file for file in files if file.is_new]  # said once, not with every question after
        why = Sentence("model_is_blind")
        return [], [AttachmentUse(f.document_id, f.name, "unseen", why) for f in blind]
    shown: list[Drawn] = []
    uses: list[AttachmentUse] = []
    for file, image in _drawn(task, files, budget):
        budget -= cost_of(image)
        fits = budget >= 0 or not shown
        how: Use = "seen" if fits else "unseen"
        if fits:
            shown.append(image)
        if fits or file.is_new:
            reason = "" if fits else Sentence("too_many_images")
            uses.append(AttachmentUse(file.document_id, file.name, how, reason))
    return shown, uses


def _drawn(
    task: AgentTask, files: Sequence[AttachedFile], budget: int
) -> list[tuple[AttachedFile, Drawn]]:
    """All large if they fit so, else all small; without those that are deleted this moment."""
    stored: list[tuple[AttachedFile, Stored]] = []
    for file in files:
        with suppress(Http404):
            stored.append((file, find_picture(task.user, file.document_id)))
    is_large = sum(_tokens(picture.width, picture.height) for _file, picture in stored) <= budget
    drawn: list[tuple[AttachedFile, Drawn]] = []
    for file, picture in stored:
        with suppress(Http404):
            drawn.append((file, picture.load() if is_large else picture.small))
    return drawn


def cost_of(image: Drawn) -> int:
    return _tokens(image.width, image.height)


def _tokens(width: int, height: int) -> int:
    """An upper estimate of what an image costs, as the common models count."""
    return -(-width * height // PIXELS_PER_TOKEN)
