"""What the JSON API says and accepts about conversations, turns and jobs."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import ConfigDict, Field, StringConstraints

from chat.models import Message, Turn
from chat.spoken import error_of, notice_of, usage_of
from knowledge.retrieval.understanding import Narrowing
from security.schemas import PageQuery, WriteSchema

Title = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
ModelName = Annotated[str, StringConstraints(max_length=120)]
AgentRef = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Collections = Annotated[list[UUID], Field(max_length=100)]
Attachments = Annotated[list[UUID], Field(max_length=100)]
ID = "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d"
AT = "2026-11-21T09:30:00Z"
CITATION = {
    "n": 1, "document_id": ID, "chunk_id": ID, "title": "Travel policy",
    "heading_path": ["Travel policy", "Means"],
    "quote": "Trains are preferred to planes below 600 km.", "start": 1204, "end": 1249, "page": 2,
    "version": 1, "has_changed": False, "lines": None, "method": "words", "score": 0.86, "at": 52,
    "is_proposed": False,
}  # fmt: skip
MESSAGE = {
    "id": ID, "conversation_id": ID, "parent_id": ID, "role": "assistant",
    "text": "Take the train: Munich is less than 600 km away [1].", "reasoning": "",
    "status": "complete", "notice": "", "model": "offline", "usage": None,
    "attachments": [], "citations": [CITATION], "claims": 1, "supported": 1, "created_at": AT,
}  # fmt: skip


def example(**values: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [values]})


class ConversationIn(WriteSchema):
    title: Title = ""
    agent: AgentRef | None = Field(None, description="Slug or id; null: the built-in one.")
    model: ModelName | None = Field(None, description="One of /models; null: the agent's own.")
    collections: Collections | None = Field(
        None, description="Where to look for answers; null: everything you may see."
    )
    temporary: bool = Field(
        False, description="Leaves nothing behind: in no list, search or export, gone at `ends_at`."
    )

    model_config = example(title="Travel", agent="documents", collections=[ID])


class ConversationPatch(WriteSchema):
    """What is missing or null stays as it is."""

    title: Title | None = None
    agent: AgentRef | None = None
    model: ModelName | None = Field(None, description="One of /models; empty: the agent's own.")
    collections: Collections | None = None
    is_pinned: bool | None = None
    is_archived: bool | None = None

    model_config = example(title="Travel to Munich", is_pinned=True)


class FolderIn(WriteSchema):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]

    model_config = example(name="Travel")


class FolderOut(Schema):
    id: UUID
    name: str
    created_at: datetime

    model_config = example(id=ID, name="Travel", created_at=AT)


class FolderPlace(WriteSchema):
    folder: UUID | None = Field(description="One of your folders; null: none.")

    model_config = example(folder=ID)


class ConversationsQuery(PageQuery):
    folder: UUID | None = Field(None, description="Only those in this folder of yours.")
    is_archived: bool | None = Field(None, description="Only those that are, or are not.")


class ConversationOut(Schema):
    id: UUID
    title: str
    role: str = Field(description="Yours: `owner`, `editor` or `reader`.")
    agent_id: UUID | None
    model: str = Field(
        validation_alias="model_name", description="Chosen for it; empty: the agent's own."
    )
    collections: list[UUID] = Field(description="Where it looks for answers.")
    is_limited: bool = Field(
        description="Whether it looks in `collections` only, else in everything you may see. Those "
        "may have been deleted since: limited to none, it finds nothing."
    )
    is_pinned: bool
    is_archived: bool
    folder_id: UUID | None = Field(description="Which of your folders it is in.")
    ends_at: datetime | None = Field(
        description="A temporary conversation is removed then, unless it is used or kept; null: "
        "it is not temporary."
    )
    leaf_id: UUID | None = Field(description="The last message of the path on show.")
    created_at: datetime
    updated_at: datetime

    model_config = example(
        id=ID, title="Travel", role="owner", agent_id=ID, model="", collections=[ID],
        is_limited=True, is_pinned=False, is_archived=False, folder_id=None, ends_at=None,
        leaf_id=ID, created_at=AT, updated_at=AT,
    )  # fmt: skip

    @staticmethod
    def resolve_collections(row: Any) -> list[UUID]:
        return [collection.pk for collection in row.collections.all()]

    @staticmethod
    def resolve_is_archived(row: Any) -> bool:
        return row.archived_at is not None


class SearchQuery(PageQuery):
    q: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] = (
        Field(description="All of these words, in the title, in one message or in one attached "
        "file; the last may be the beginning of one.")
    )  # fmt: skip
    since: date | None = Field(None, description="Said, or last changed, on this day or later.")
    until: date | None = Field(None, description="On this day or before.")
    agent: str = Field("", max_length=80, description="Of conversations with this agent: a slug.")
    collection: UUID | None = Field(None, description="Of conversations that look there.")
    found_in: Literal["", "title", "message", "attachment"] = ""
    author: Literal["", "me", "others", "assistant"] = Field("", description="Who wrote it.")
    is_archived: bool | None = Field(None, description="Only those that are, or are not.")


Marks = Annotated[list[tuple[int, int]], Field(description="What was found: start and end.")]


class ConversationHit(Schema):
    id: UUID
    title: str
    title_marks: Marks
    message_id: UUID | None = Field(description="The newest message with these words.")
    snippet: str = Field(description="A line of its text; empty if only the title has the words.")
    snippet_marks: Marks
    attachment_id: UUID | None = Field(None, description="The file that alone has the words.")
    file_name: str = ""
    file_name_marks: Marks = []
    is_archived: bool
    folder_id: UUID | None
    updated_at: datetime

    model_config = example(
        id=ID, title="Travel", title_marks=[], message_id=ID, snippet="Take the train: Munich …",
        snippet_marks=[[16, 22]], attachment_id=None, file_name="", file_name_marks=[],
        is_archived=False, folder_id=None, updated_at=AT,
    )  # fmt: skip


class CitationOut(Schema):
    n: int = Field(description="The number in the text: `[1]`.")
    document_id: UUID
    chunk_id: UUID
    title: str
    heading_path: list[str]
    quote: str = Field(description="The document's text from `start` to `end`.")
    start: int
    end: int
    page: int | None
    version: int = Field(description="Of the document, that it was quoted in.")
    has_changed: bool = Field(
        False, description="The document has a newer version, without these words."
    )
    lines: tuple[int, int] | None = Field(
        None, description="Of a program's file: the first and the last line of the quote."
    )
    method: str = Field(
        "",
        description="How the quote was found: `exact`, `fuzzy` (nearly word for word), `differs` "
        '(so too, but for a number or a "not"), `words` (in other words), `meaning`, or `passage` '
        "(nothing in it says the same); empty in answers from before this was kept.",
    )
    score: float | None = Field(None, description="How well they agree, 0 to 1.")
    at: int | None = Field(
        None, description="Where in the text its mark stands, or would if it is proposed."
    )
    is_proposed: bool = Field(
        False, description="The model cited nothing: Parley found this source for the sentence."
    )

    model_config = example(**CITATION)


class MessageOut(Schema):
    id: UUID
    conversation_id: UUID
    parent_id: UUID | None = Field(description="Messages form a tree; null: a first question.")
    role: str = Field(description="`user` or `assistant`.")
    text: str
    reasoning: str
    status: str = Field(description="`complete`, `running`, `stopped`, `interrupted` or `failed`.")
    notice: str = Field(description="What a reader should know about how it was made.")
    model: str = Field(validation_alias="model_name")
    usage: dict[str, Any] | None
    attachments: list[UUID] = Field(
        description="Of a question; see /attachments/{id}. Some may have been deleted since."
    )
    citations: list[CitationOut]
    claims: int | None = Field(
        description="Of an answer with sources: how many of its sentences make a claim."
    )
    supported: int | None = Field(description="How many of these a source stands behind.")
    created_at: datetime

    model_config = example(**MESSAGE)

    @staticmethod
    def resolve_notice(message: Message) -> str:
        return notice_of(message)

    @staticmethod
    def resolve_usage(message: Message) -> dict[str, Any] | None:
        return usage_of(message)


class TurnIn(WriteSchema):
    text: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100_000)] = Field(
        "", description="Left out only with `question`, or with `attachments` that need none."
    )
    question: UUID | None = Field(
        None, description="A question of the conversation, to be asked again."
    )
    agent: AgentRef | None = Field(None, description="Slug or id; null: the conversation's.")
    model: ModelName | None = Field(
        None, description="One of /models; null: the conversation's; empty: the agent's own."
    )
    beside: UUID | None = Field(
        None,
        description="An answer to `question`: both are shown side by side until one is chosen.",
    )
    continues: UUID | None = Field(
        None,
        description="An answer that broke off, instead of `text`: goes on from where it stopped.",
    )
    collections: Collections | None = Field(None, description="Null: the conversation's.")
    attachments: Attachments | None = Field(
        None, description="Ids from /attachments, in the order they are shown; at most ten."
    )
    parent: UUID | None = Field(
        None, description="The message it follows; null: the last one on show."
    )
    without: Annotated[list[Narrowing], Field(max_length=len(Narrowing))] = Field(
        [],
        description="Filters that were recognised in its words and do not count this time: "
        "`file_types`, `languages`, `dates`.",
    )

    model_config = example(text="May I fly to Munich?", collections=[ID])


class TurnAccepted(Schema):
    turn_id: UUID
    message_id: UUID = Field(description="The answer's; it fills while the turn runs.")

    model_config = example(turn_id=ID, message_id=ID)


class TurnOut(Schema):
    id: UUID
    conversation_id: UUID
    question_id: UUID
    message_id: UUID = Field(validation_alias="answer_id")
    status: str = Field(
        description="`queued`, `running`, `waiting` (for a decision about a call), `completed`, "
        "`stopped`, `interrupted` or `failed`."
    )
    error: dict[str, Any] | None
    message: MessageOut = Field(validation_alias="answer")
    created_at: datetime
    finished_at: datetime | None

    model_config = example(
        id=ID, conversation_id=ID, question_id=ID, message_id=ID, status="completed", error=None,
        message=MESSAGE, created_at=AT, finished_at=AT,
    )  # fmt: skip

    @staticmethod
    def resolve_error(turn: Turn) -> dict[str, Any] | None:
        return error_of(turn.error)


class EventsQuery(Schema):
    after: int = Field(
        0, ge=0, le=2**31 - 1, description="The `seq` seen last; default: from the beginning."
    )


class JobOut(Schema):
    id: UUID = Field(validation_alias="pk")
    task: str
    subject_id: UUID | None = Field(description="What it works on, a document for example.")
    status: str = Field(description="`queued`, `running`, `succeeded`, `failed` or `cancelled`.")
    stage: str
    done: int
    total: int
    reason: str = Field(description="Why it failed, in plain words; else empty.")
    cancel_requested: bool
    created_at: datetime
    finished_at: datetime | None

    model_config = example(
        id=ID, task="knowledge.jobs.ingest_document", subject_id=ID, status="running",
        stage="embed", done=8, total=31, reason="", cancel_requested=False, created_at=AT,
        finished_at=None,
    )  # fmt: skip
