"""A document that takes the place of another has the readers that the other had."""

from accounts.models import Grant
from knowledge.document_access.moving import set_apart
from knowledge.document_access.selectors import is_restricted, list_grants
from knowledge.models import Collection, Document
from security import audit
from security.acts import Act


def follow(before: Document, document: Document) -> None:
    """In the caller's transaction, in which `document` was added."""
    if not Document.objects.filter(pk=before.pk, is_apart=True).exists():
        return
    set_apart(document)
    Grant.objects.bulk_create(
        Grant(
            user_id=grant.user_id,
            team_id=grant.team_id,
            kind=grant.kind,
            object_id=document.pk,
            role=grant.role,
        )
        for grant in list_grants(before)
    )
    if is_restricted(before):
        Collection.parts_apart.filter(pk=document.pk).update(is_restricted=True)
        audit.record(Act.DOCUMENT_RESTRICTED, document)
