from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field

from accounts.callers import READ_OR_CHAT, caller
from gateway.catalogue import list_chat_models
from security.paging import paginate
from security.schemas import PageOf, PageQuery

router = Router(tags=["Agents"])


class ModelOut(Schema):
    name: str
    is_default: bool
    context_length: int
    sees_images: bool = Field(
        validation_alias="has_vision", description="Whether attached images are sent to it."
    )

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "gpt-4.1-mini",
                    "is_default": True,
                    "context_length": 128_000,
                    "sees_images": True,
                }
            ]
        }
    )


@router.get(
    "/models", response=PageOf[ModelOut], auth=READ_OR_CHAT, summary="List models",
    operation_id="list_models",
)  # fmt: skip
def list_models(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """Chat models that are connected; send a name with a question to have it answered by that."""
    caller(request)
    return paginate(list_chat_models().order_by(), ["-id"], page.cursor, page.limit)
