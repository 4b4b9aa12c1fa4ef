"""What one does with an answer: rate it, choose it among others, go on elsewhere from it."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field, StringConstraints

from accounts.callers import CHAT, READ_OR_CHAT, caller
from accounts.limits import spend_for
from chat import selectors
from chat.answers import branching, comparing, feedback
from chat.answers.feedback import MAX_COMMENT, Reason
from chat.models import Feedback
from chat.schemas import AT, ID, ConversationOut, example
from security.rate_limits import Action
from security.schemas import WriteSchema

router = Router()
RATINGS = {"good": Feedback.Rating.GOOD, "bad": Feedback.Rating.BAD}
Comment = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_COMMENT)]


class FeedbackIn(WriteSchema):
    rating: Literal["good", "bad"]
    reasons: Annotated[list[Reason], Field(max_length=len(Reason))] = []
    comment: Comment = ""

    model_config = example(rating="bad", reasons=["unsourced"], comment="Page 3 says otherwise.")


class FeedbackOut(Schema):
    message_id: UUID
    rating: str = Field(description="`good` or `bad`.")
    reasons: list[str]
    comment: str
    updated_at: datetime

    model_config = example(
        message_id=ID, rating="bad", reasons=["unsourced"], comment="Page 3 says otherwise.",
        updated_at=AT,
    )  # fmt: skip

    @staticmethod
    def resolve_rating(row: Any) -> str:
        return "good" if row.rating == Feedback.Rating.GOOD else "bad"


class BranchIn(WriteSchema):
    message: UUID = Field(description="The last message that is taken along.")

    model_config = example(message=ID)


@router.get(
    "/messages/{uuid:message_id}/feedback", response=FeedbackOut, auth=READ_OR_CHAT,
    tags=["Messages"], summary="Read your feedback", operation_id="get_feedback",
)  # fmt: skip
def get_feedback(request: HttpRequest, message_id: UUID) -> Any:
    """What you said about this answer; 404 also when you said nothing."""
    return feedback.find_feedback(caller(request), message_id)


@router.put(
    "/messages/{uuid:message_id}/feedback", response=FeedbackOut, auth=CHAT,
    tags=["Messages"], summary="Rate an answer", operation_id="rate_answer",
)  # fmt: skip
def rate_answer(request: HttpRequest, message_id: UUID, body: FeedbackIn) -> Any:
    """One rating for each person and answer; another one replaces it. Administrators read it."""
    rating = RATINGS[body.rating]
    return feedback.rate_answer(
        caller(request), message_id, rating, [reason.value for reason in body.reasons], body.comment
    )


@router.delete(
    "/messages/{uuid:message_id}/feedback", response={204: None}, auth=CHAT,
    tags=["Messages"], summary="Take feedback back", operation_id="remove_feedback",
)  # fmt: skip
def remove_feedback(request: HttpRequest, message_id: UUID) -> Any:
    feedback.take_back(caller(request), message_id)
    return Status(204, None)


@router.post(
    "/messages/{uuid:message_id}/choose", response=ConversationOut, auth=CHAT,
    tags=["Messages"], summary="Go on with an answer", operation_id="choose_answer",
)  # fmt: skip
def choose_answer(request: HttpRequest, message_id: UUID) -> Any:
    """Shows this version from now on; later questions go to the agent and model that gave it. Of
    answers that stand side by side it is kept which one was chosen. Needs the role editor."""
    user = caller(request)
    chosen = comparing.prefer_answer(user, message_id)
    return selectors.find_conversation(user, chosen.pk)


@router.post(
    "/conversations/{uuid:conversation_id}/branch", response={201: ConversationOut}, auth=CHAT,
    tags=["Conversations"], summary="Branch a conversation", operation_id="branch_conversation",
)  # fmt: skip
def branch_conversation(request: HttpRequest, conversation_id: UUID, body: BranchIn) -> Any:
    """A conversation of your own with the messages up to `message`, and with those of their sources
    that you may see."""
    user = caller(request)
    spend_for(request, Action.TURNS)
    branch = branching.branch_conversation(user, conversation_id, body.message)
    return Status(201, selectors.find_conversation(user, branch.pk))
