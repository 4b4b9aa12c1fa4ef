"""The role under which people's reading runs, and all it may read (see `security.reading`)."""

import logging
from typing import Any

from django.db import ProgrammingError, connection, transaction

from security.reading import ROLE, is_fitted

# With a row policy each, but for those that say who may see what, and agents' names.
READABLE = (
    "accounts_grant", "accounts_membership", "accounts_team", "agents_agent",
    "agents_savedprompt", "agents_memory", "agents_approval", "agents_toolpermission",
    "agents_runstep", "agents_toolexecution",
    "knowledge_collection", "knowledge_source", "knowledge_document", "knowledge_documenttext",
    "knowledge_documentcount", "knowledge_sourceitem", "knowledge_syncrun",
    "knowledge_stage", "knowledge_picture", "knowledge_figure", "knowledge_documentversion",
    "knowledge_versiontext",
    "knowledge_glossaryentry",
    "knowledge_goldenquestion", "knowledge_expectedpassage", "knowledge_qualityrun",
    "knowledge_qualityresult", "knowledge_approvedanswer", "knowledge_approvedwording",
    "knowledge_approvedsource",
    "knowledge_documentenrichment", "knowledge_passageenrichment",
    "knowledge_passageedit", "knowledge_chunk", "knowledge_lexicon", "knowledge_embedding",
    "knowledge_embeddingversion", "term_df", "lexical_statistics",
    "chat_conversation", "chat_conversation_collections", "chat_message", "chat_turn",
    "chat_citation", "chat_folder", "chat_filing", "chat_sharedlink", "chat_import",
    "chat_feedback", "chat_preference",
)  # fmt: skip


log = logging.getLogger(__name__)


def fit(**_signal: Any) -> None:
    """Make the role and give it its rights where they are missing and this is not refused.

    A managed Postgres may keep making roles to itself. Then people's reading rests on the first
    lock alone, and `manage.py doctor` says what an operator can do.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            missing = _missing(cursor)
            if missing is None:
                cursor.execute(f"create role {ROLE} nologin")
                cursor.execute(f"grant {ROLE} to current_user")
                missing = _missing(cursor)
            if missing:
                cursor.execute(f"grant select on {', '.join(missing)} to {ROLE}")
    except ProgrammingError as error:
        log.warning("people read behind the first lock only: %s", error)
    finally:
        is_fitted.cache_clear()


def _missing(cursor: Any) -> list[str] | None:
    """Tables that the role cannot read yet; None where there is no role."""
    cursor.execute(
        """
        select to_regrole(%(role)s) is not null,
               array(select name from unnest(%(names)s::text[]) as name
                     where to_regclass(name) is not null and to_regrole(%(role)s) is not null
                       and not has_table_privilege(%(role)s, to_regclass(name), 'select'))
        """,
        {"role": ROLE, "names": list(READABLE)},
    )
    is_there, missing = cursor.fetchone()
    return missing if is_there else None
