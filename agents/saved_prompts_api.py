from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict, Field, StringConstraints

from accounts.access import require_editable, require_owned
from accounts.callers import CHAT, READ_OR_CHAT, caller
from agents import saved_prompts
from agents.models import SavedPrompt
from agents.saved_prompt_examples import list_examples
from agents.saved_prompts import variables_of
from security import audit
from security.acts import Act
from security.paging import paginate
from security.reading import reading_as
from security.schemas import PageOf, PageQuery, WriteSchema

router = Router(tags=["Saved prompts"])
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=8000)]
Email = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=254)]
ID = "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d"
AT = "2026-11-21T09:30:00Z"
WORDS = {"name": "Summarise", "text": "Summarise what we know about {{topic}}."}


def example(**values: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [values]})


class PromptIn(WriteSchema):
    name: Name
    text: Text = Field(description="`{{name}}` stands for what is filled in each time.")

    model_config = example(**WORDS)


class PromptPatch(WriteSchema):
    """What is missing or null stays as it is."""

    name: Name | None = None
    text: Text | None = None

    model_config = example(name="Summary")


class PromptOut(Schema):
    id: UUID
    name: str
    text: str
    variables: list[str] = Field(description="What has to be filled in.")
    role: str = Field(description="Yours: `owner`, `editor` or `reader`.")
    is_shared: bool
    created_at: datetime
    updated_at: datetime

    model_config = example(
        id=ID, **WORDS, variables=["topic"], role="owner", is_shared=False, created_at=AT,
        updated_at=AT,
    )  # fmt: skip

    @staticmethod
    def resolve_variables(row: Any) -> list[str]:
        return variables_of(row.text)


class PromptsQuery(PageQuery):
    q: str = Field("", max_length=200, description="All of these words, in the name or the text.")


class PromptWords(Schema):
    name: str
    text: str
    variables: list[str]

    model_config = example(**WORDS, variables=["topic"])


class PromptsIn(WriteSchema):
    prompts: Annotated[list[PromptIn], Field(max_length=saved_prompts.MOST)]

    model_config = example(prompts=[WORDS])


class PromptsAdded(Schema):
    added: int
    skipped: int = Field(description="Those that you had already, word for word.")

    model_config = example(added=3, skipped=1)


class TeamRef(Schema):
    id: UUID
    name: str


class ReadersOut(Schema):
    teams: list[TeamRef]
    people: list[str] = Field(description="E-mail addresses.")

    model_config = example(teams=[{"id": ID, "name": "Editors"}], people=["bob@example.org"])

    @staticmethod
    def resolve_people(readers: Any) -> list[str]:
        return [person.email for person in readers.people]


class ReadersIn(WriteSchema):
    teams: Annotated[list[UUID], Field(max_length=100)] = []
    people: Annotated[list[Email], Field(max_length=100)] = []

    model_config = example(teams=[ID], people=["bob@example.org"])


@router.get(
    "/prompts", response=PageOf[PromptOut], auth=READ_OR_CHAT, summary="List saved prompts",
    operation_id="list_prompts",
)  # fmt: skip
def list_prompts(request: HttpRequest, page: Query[PromptsQuery]) -> Any:
    """Yours and those shared with you, last made first."""
    user = caller(request)
    with reading_as(user):
        rows = saved_prompts.list_prompts(user).filter(saved_prompts.matching(page.q))
        return paginate(rows, ["-id"], page.cursor, page.limit)


@router.post(
    "/prompts", response={201: PromptOut}, auth=CHAT, summary="Save a prompt",
    operation_id="create_prompt",
)  # fmt: skip
def create_prompt(request: HttpRequest, body: PromptIn) -> Any:
    user = caller(request)
    made = saved_prompts.create_prompt(user, body.name, body.text)
    return Status(201, saved_prompts.find_prompt(user, made.pk))


@router.get(
    "/prompts/examples", response=list[PromptWords], auth=READ_OR_CHAT,
    summary="List example prompts", operation_id="list_prompt_examples",
)  # fmt: skip
def list_prompt_examples(request: HttpRequest) -> Any:  # noqa: ARG001 - ninja names it
    """Offered to those who have saved none, in the language of the request."""
    return [
        {"name": words.name, "text": words.text, "variables": variables_of(words.text)}
        for words in list_examples()
    ]


@router.get(
    "/prompts/export", auth=READ_OR_CHAT, summary="Export your prompts",
    operation_id="export_prompts",
    openapi_extra={"responses": {200: {"description": "What `import` takes."}}},
)  # fmt: skip
def export_prompts(request: HttpRequest) -> HttpResponse:
    """All that you own, as a file that can be imported here or elsewhere."""
    user = caller(request)
    own = list(SavedPrompt.objects.filter(owner=user, deleted_at=None).values("name", "text"))
    audit.record(Act.PROMPTS_EXPORTED, prompts=len(own))
    written = orjson.dumps({"prompts": own}, option=orjson.OPT_INDENT_2)
    response = HttpResponse(written, content_type="application/json")
    response["Content-Disposition"] = content_disposition_header(True, "parley-prompts.json")
    response["Cache-Control"] = "private, no-store"
    return response


@router.post(
    "/prompts/import", response=PromptsAdded, auth=CHAT, summary="Import prompts",
    operation_id="import_prompts",
)  # fmt: skip
def import_prompts(request: HttpRequest, body: PromptsIn) -> Any:
    """All of them or none; what you have already word for word is not added twice."""
    words = [saved_prompts.Words(one.name, one.text) for one in body.prompts]
    made = saved_prompts.add_prompts(caller(request), words)
    return {"added": len(made), "skipped": len(words) - len(made)}


@router.get(
    "/prompts/{uuid:prompt_id}", response=PromptOut, auth=READ_OR_CHAT,
    summary="Read a saved prompt", operation_id="get_prompt",
)  # fmt: skip
def get_prompt(request: HttpRequest, prompt_id: UUID) -> Any:
    return saved_prompts.find_prompt(caller(request), prompt_id)


@router.patch(
    "/prompts/{uuid:prompt_id}", response=PromptOut, auth=CHAT, summary="Change a saved prompt",
    operation_id="update_prompt",
)  # fmt: skip
def update_prompt(request: HttpRequest, prompt_id: UUID, body: PromptPatch) -> Any:
    """Needs the role editor."""
    user = caller(request)
    require_editable(SavedPrompt.objects, user, prompt_id)
    saved_prompts.change_prompt(user, prompt_id, **body.model_dump(exclude_none=True))
    return saved_prompts.find_prompt(user, prompt_id)


@router.delete(
    "/prompts/{uuid:prompt_id}", response={204: None}, auth=CHAT,
    summary="Delete a saved prompt", operation_id="delete_prompt",
)  # fmt: skip
def delete_prompt(request: HttpRequest, prompt_id: UUID) -> Any:
    """For everyone; it can be restored for ten minutes. Needs the role owner."""
    user = caller(request)
    require_owned(SavedPrompt.objects, user, prompt_id)
    saved_prompts.delete_prompt(user, prompt_id)
    return Status(204, None)


@router.post(
    "/prompts/{uuid:prompt_id}/restore", response=PromptOut, auth=CHAT,
    summary="Undo the deletion of a prompt", operation_id="restore_prompt",
)  # fmt: skip
def restore_prompt(request: HttpRequest, prompt_id: UUID) -> Any:
    """Within ten minutes. Needs the role owner."""
    user = caller(request)
    if not SavedPrompt.objects.restorable_by(user).filter(pk=prompt_id).exists():
        require_owned(SavedPrompt.objects, user, prompt_id)
    saved_prompts.restore_prompt(user, prompt_id)
    return saved_prompts.find_prompt(user, prompt_id)


@router.get(
    "/prompts/{uuid:prompt_id}/readers", response=ReadersOut, auth=READ_OR_CHAT,
    summary="With whom a prompt is shared", operation_id="get_prompt_readers",
)  # fmt: skip
def get_prompt_readers(request: HttpRequest, prompt_id: UUID) -> Any:
    """Needs the role owner."""
    return saved_prompts.find_readers(caller(request), prompt_id)


@router.put(
    "/prompts/{uuid:prompt_id}/readers", response=ReadersOut, auth=CHAT,
    summary="Share a prompt", operation_id="share_prompt",
)  # fmt: skip
def share_prompt(request: HttpRequest, prompt_id: UUID, body: ReadersIn) -> Any:
    """With exactly these teams and people, who may then use it. Needs the role owner."""
    return saved_prompts.set_readers(caller(request), prompt_id, body.teams, body.people)
