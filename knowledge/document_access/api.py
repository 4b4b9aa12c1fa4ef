"""Who may read one document, for the owners of its collection."""

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field, StringConstraints

from accounts.access import require_owned
from accounts.callers import READ, WRITE, caller
from knowledge.document_access import selectors, services
from knowledge.models import Document
from knowledge.schemas.base import ID, example
from knowledge.schemas.collections import AccessOut
from security.schemas import WriteSchema

router = Router(tags=["Documents"])
ACCESS = "/documents/{uuid:document_id}/access"
GRANTS = "/documents/{uuid:document_id}/grants"


class DocumentGrantIn(WriteSchema):
    email: Annotated[str, StringConstraints(strip_whitespace=True, max_length=254)] | None = None
    team: UUID | None = Field(None, description="One of the two.")

    model_config = example(email="bob@example.org")


class DocumentGrantOut(Schema):
    id: UUID
    name: str
    email: str | None = Field(description="Of a person; none for a team.")
    team: UUID | None = Field(validation_alias="team_id")

    model_config = example(id=ID, name="Bob", email="bob@example.org", team=None)

    @staticmethod
    def resolve_name(row: Any) -> str:
        return str(row.team or row.user.get_short_name())

    @staticmethod
    def resolve_email(row: Any) -> str | None:
        return row.user.email if row.user else None


class DocumentAccessOut(Schema):
    restricted: bool = Field(
        description="Readers of the collection do not see it; its editors and owners do, and whom "
        "it is shared with."
    )
    grants: list[DocumentGrantOut] = Field(description="Whom it is shared with by itself.")
    readers: AccessOut = Field(description="Everybody who reads it, and why.")

    model_config = example(
        restricted=True,
        grants=[{"id": ID, "name": "Bob", "email": "bob@example.org", "team": None}],
        readers={"people": [], "everyone": "", "is_cut": False},
    )


class DocumentAccessIn(WriteSchema):
    restricted: bool

    model_config = example(restricted=True)


@router.get(
    ACCESS, response=DocumentAccessOut, auth=READ, summary="Read who may read a document",
    operation_id="get_document_access",
)  # fmt: skip
def get_access(request: HttpRequest, document_id: UUID) -> Any:
    """Needs the role owner on its collection, like the rest."""
    return _told(require_owned(Document.objects, caller(request), document_id))


@router.put(
    ACCESS, response=DocumentAccessOut, auth=WRITE,
    summary="Keep a document from its collection's readers", operation_id="restrict_document",
)  # fmt: skip
def restrict(request: HttpRequest, document_id: UUID, body: DocumentAccessIn) -> Any:
    """Or let them read it again. It holds from the next request on."""
    user = caller(request)
    services.restrict(user, document_id, is_restricted=body.restricted)
    return _told(require_owned(Document.objects, user, document_id))


@router.put(
    GRANTS, response=DocumentGrantOut, auth=WRITE, summary="Share a document by itself",
    operation_id="give_document_grant",
)  # fmt: skip
def give_grant(request: HttpRequest, document_id: UUID, body: DocumentGrantIn) -> Any:
    """With a person or a team, for reading. They see nothing else of its collection."""
    return services.give(caller(request), document_id, body.email, body.team)


@router.delete(
    f"{GRANTS}/{{uuid:grant_id}}", response={204: None}, auth=WRITE,
    summary="Take access to a document away", operation_id="take_document_grant",
)  # fmt: skip
def take_grant(request: HttpRequest, document_id: UUID, grant_id: UUID) -> Any:
    services.unshare(caller(request), document_id, grant_id)
    return Status(204, None)


def _told(document: Document) -> dict[str, Any]:
    return {
        "restricted": selectors.is_restricted(document),
        "grants": list(selectors.list_grants(document)),
        "readers": selectors.list_readers(document),
    }
