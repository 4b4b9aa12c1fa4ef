"""The values of an agent's run; nothing here asks the database."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from agents.types.limits import Limits
from agents.types.steps import (
    AnswerApproved,
    AnswerReused,
    AttachmentsRead,
    AttachmentUse,
    CitationAdded,
    Finished,
    GuardrailActed,
    HandedOver,
    LabelsDemanded,
    MemoriesSaved,
    MemoriesUsed,
    NoteTaken,
    PackedPassage,
    PassagesReranked,
    PromptAssembled,
    PromptBlock,
    QueryRewritten,
    QuerySearched,
    Reading,
    RetrievalCompleted,
    Step,
    SupportChecked,
    ToolApprovalRequested,
    ToolCalled,
    ToolCompleted,
    ToolProgressed,
    ToolStatus,
    Trouble,
    UsageRecorded,
    Use,
)
from agents.types.tasks import (
    AgentSpec,
    AgentTask,
    AttachedFile,
    Caller,
    GoingOn,
    Helper,
    PastMessage,
    Recollection,
)
from gateway.types import ChatRequest, EndpointSwitched, ReasoningDelta, StreamItem, TextDelta
from knowledge.types import SearchResult

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = [
    "AgentSpec",
    "AgentTask",
    "AnswerApproved",
    "AnswerReused",
    "AttachedFile",
    "AttachmentUse",
    "AttachmentsRead",
    "Caller",
    "CitationAdded",
    "EndpointSwitched",
    "Finished",
    "GoingOn",
    "GuardrailActed",
    "HandedOver",
    "Helper",
    "LabelsDemanded",
    "Limits",
    "MemoriesSaved",
    "MemoriesUsed",
    "NoteTaken",
    "PackedPassage",
    "PassagesReranked",
    "PastMessage",
    "PromptAssembled",
    "PromptBlock",
    "QueryRewritten",
    "QuerySearched",
    "Reading",
    "ReasoningDelta",
    "Recollection",
    "RetrievalCompleted",
    "Step",
    "SupportChecked",
    "TextDelta",
    "ToolApprovalRequested",
    "ToolCalled",
    "ToolCompleted",
    "ToolProgressed",
    "ToolStatus",
    "Trouble",
    "UsageRecorded",
    "Use",
]

# What a run needs from outside; defaults in agents.asking, agents.evidence; tests give own.
Search = Callable[
    ..., Awaitable[SearchResult]
]  # person, query, collections, limit[, demands], payer=, remember=
Chat = Callable[[ChatRequest], "AsyncGenerator[StreamItem, None]"]
Read = Callable[[AgentTask, str, int], Awaitable[Reading]]
Verify = Callable[[list[CitationAdded]], Awaitable[list[bool]]]
