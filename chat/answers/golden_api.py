"""Golden questions out of answers, for programs."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Status

from accounts.callers import WRITE, caller
from chat.answers.golden import keep_as_golden
from knowledge.quality.schemas import QuestionOut
from knowledge.quality.selectors import narrowed
from knowledge.schemas import ID, example
from security.schemas import WriteSchema

router = Router(tags=["Quality"])


class KeepIn(WriteSchema):
    collection: UUID

    model_config = example(collection=ID)


@router.post(
    "/messages/{uuid:message_id}/golden-question", response={201: QuestionOut}, auth=WRITE,
    summary="Keep an answer as a golden question", operation_id="keep_golden_question",
)  # fmt: skip
def keep(request: HttpRequest, message_id: UUID, body: KeepIn) -> Any:
    """Its question, and what it cites of the collection unless you rated it as bad. From an editor
    of the collection it counts at once."""
    user = caller(request)
    return Status(201, narrowed(user, keep_as_golden(user, message_id, body.collection)))
