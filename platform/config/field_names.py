"""What fields are called in the administration whose models do not say it.

Most belong to records that people only read there. A name is set on the running model alone:
migrations know nothing of it.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import display
from django.db.models import Field, Model
from django.utils.text import capfirst
from django.utils.translation import pgettext_lazy

NAMES = {
    "accepted_prediction_tokens": pgettext_lazy("field", "tokens of a prediction that came true"),
    "agent": pgettext_lazy("field", "agent"),
    "agent_id": pgettext_lazy("field", "agent"),
    "account_id": pgettext_lazy("field", "person"),
    "answer": pgettext_lazy("field", "answer"),
    "at": pgettext_lazy("field", "place in the answer, characters"),
    "attachments": pgettext_lazy("field", "attachments"),
    "attempt": pgettext_lazy("field", "attempt"),
    "attempts": pgettext_lazy("field", "attempts"),
    "cache_write_tokens": pgettext_lazy("field", "tokens written into the cache"),
    "cached_tokens": pgettext_lazy("field", "tokens read from the cache"),
    "cancel_requested": pgettext_lazy("field", "asked to stop"),
    "chosen_over": pgettext_lazy("field", "chosen in place of"),
    "chunk": pgettext_lazy("field", "passage"),
    "chunk_id": pgettext_lazy("field", "passage"),
    "collection": pgettext_lazy("field", "collection"),
    "collections": pgettext_lazy("field", "collections"),
    "compacted_at": pgettext_lazy("field", "put together"),
    "completion_tokens": pgettext_lazy("field", "tokens of the answer"),
    "conversation": pgettext_lazy("field", "conversation"),
    "created_at": pgettext_lazy("field", "created"),
    "detail": pgettext_lazy("field", "detail"),
    "dimensions": pgettext_lazy("field", "dimensions"),
    "document": pgettext_lazy("field", "document"),
    "done": pgettext_lazy("field", "done"),
    "end": pgettext_lazy("field", "end, characters"),
    "ended_at": pgettext_lazy("field", "replaced"),
    "endpoint": pgettext_lazy("field", "endpoint"),
    "endpoint_name": pgettext_lazy("field", "endpoint"),
    "enrich_model": pgettext_lazy("field", "model that enriches"),
    "error": pgettext_lazy("field", "error"),
    "estimated_by": pgettext_lazy("field", "estimated by"),
    "estimated_completion_tokens": pgettext_lazy("field", "tokens of the answer, estimated"),
    "estimated_prompt_tokens": pgettext_lazy("field", "tokens of the prompt, estimated"),
    "fence": pgettext_lazy("field", "fence"),
    "finished_at": pgettext_lazy("field", "finished"),
    "first_token_ms": pgettext_lazy("field", "first token, ms"),
    "head": pgettext_lazy("field", "head of the table"),
    "heading_path": pgettext_lazy("field", "headings"),
    "holder": pgettext_lazy("field", "held by"),
    "id": pgettext_lazy("field", "ID"),
    "idempotency_key": pgettext_lazy("field", "key against repetition"),
    "input_hash": pgettext_lazy("field", "fingerprint of what it was made of"),
    "is_active": pgettext_lazy("field", "in use"),
    "is_builtin": pgettext_lazy("field", "built in"),
    "is_estimated": pgettext_lazy("field", "charged as estimated"),
    "is_everyone": pgettext_lazy("field", "everyone"),
    "is_kept": pgettext_lazy("field", "taken over unchanged"),
    "is_multilingual": pgettext_lazy("field", "multilingual"),
    "is_preview": pgettext_lazy("field", "only a preview"),
    "is_proposed": pgettext_lazy("field", "proposed, not cited by the model"),
    "is_scheduled": pgettext_lazy("field", "by the schedule"),
    "job_id": pgettext_lazy("field", "job"),
    "kind": pgettext_lazy("field", "kind"),
    "language": pgettext_lazy("field", "language"),
    "last_seq": pgettext_lazy("field", "last number"),
    "layout": pgettext_lazy("field", "layout"),
    "lease_until": pgettext_lazy("field", "held until"),
    "length": pgettext_lazy("field", "length, characters"),
    "line": pgettext_lazy("field", "line of the file"),
    "max_attempts": pgettext_lazy("field", "most attempts"),
    "message": pgettext_lazy("field", "message"),
    "method": pgettext_lazy("field", "how its words were found"),
    "model": pgettext_lazy("field", "model"),
    "model_name": pgettext_lazy("field", "model"),
    "n": pgettext_lazy("field", "number"),
    "note": pgettext_lazy("field", "note of its source"),
    "outcome": pgettext_lazy("field", "outcome"),
    "owner": pgettext_lazy("field", "owner"),
    "owner_id": pgettext_lazy("field", "owner"),
    "page": pgettext_lazy("field", "page of the document"),
    "parent": pgettext_lazy("field", "follows"),
    "person": pgettext_lazy("field", "person"),
    "position": pgettext_lazy("field", "place"),
    "prompt_tokens": pgettext_lazy("field", "tokens of the prompt"),
    "question": pgettext_lazy("field", "question"),
    "queue": pgettext_lazy("field", "queue"),
    "quote": pgettext_lazy("field", "quotation"),
    "read_of": pgettext_lazy("field", "fingerprint of the file that was read"),
    "reader": pgettext_lazy("field", "read by"),
    "reason": pgettext_lazy("field", "reason"),
    "reasoning": pgettext_lazy("field", "reasoning"),
    "reasoning_tokens": pgettext_lazy("field", "tokens of reasoning"),
    "rejected_prediction_tokens": pgettext_lazy("field", "tokens of a prediction that did not"),
    "requested_by": pgettext_lazy("field", "asked by"),
    "ring_after": pgettext_lazy("field", "not before"),
    "sample": pgettext_lazy("field", "first of its items"),
    "scopes": pgettext_lazy("field", "rights"),
    "score": pgettext_lazy("field", "how well its words fit"),
    "script": pgettext_lazy("field", "script"),
    "sha256": pgettext_lazy("field", "SHA-256"),
    "source": pgettext_lazy("field", "source"),
    "start": pgettext_lazy("field", "beginning, characters"),
    "started_at": pgettext_lazy("field", "begun"),
    "started_by": pgettext_lazy("field", "started by"),
    "state": pgettext_lazy("field", "state"),
    "step_version": pgettext_lazy("field", "version of the step"),
    "steps": pgettext_lazy("field", "steps"),
    "stop_requested_at": pgettext_lazy("field", "asked to stop"),
    "stream": pgettext_lazy("field", "stream"),
    "subject_id": pgettext_lazy("field", "what it is about"),
    "team": pgettext_lazy("field", "team"),
    "text": pgettext_lazy("field", "text"),
    "title": pgettext_lazy("field", "title"),
    "token_id": pgettext_lazy("field", "API token"),
    "total": pgettext_lazy("field", "of"),
    "total_ms": pgettext_lazy("field", "whole call, ms"),
    "turn_id": pgettext_lazy("field", "turn"),
    "usage": pgettext_lazy("field", "usage"),
    "user": pgettext_lazy("field", "person"),
    "version": pgettext_lazy("field", "version"),
    "version_note": pgettext_lazy("field", "note of this version's source"),
    "why": pgettext_lazy("field", "reason for the choice"),
}  # fmt: skip


def name_fields(models: Iterable[type[Model]]) -> None:
    """Gives the fields nobody named theirs."""
    for model in models:
        for field in [*model._meta.fields, *model._meta.many_to_many]:
            if getattr(field, "_verbose_name", "") is None and field.name in NAMES:
                field.verbose_name = NAMES[field.name]


def name_columns(model: type[Model], shown: Iterable[Any]) -> list[Any]:
    """For `list_display`: the column of a key is called as what it leads to, which is not read."""
    keys = {field.attname: field for field in model._meta.fields if field.is_relation}
    return [_column(keys[name]) if name in keys else name for name in shown]


def _column(field: "Field[Any, Any]") -> Any:
    @display(description=capfirst(field.verbose_name), ordering=field.attname)
    def column(row: Model) -> Any:
        return getattr(row, field.attname)

    column.__name__ = field.attname  # the class of its cells
    return column
