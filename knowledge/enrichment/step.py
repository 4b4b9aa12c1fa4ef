"""The step: passages with what a model wrote about them; nothing is asked for twice.

What was written is kept as it comes, by the hash of what it is about: a worker that dies, a budget
that ends or a document that changes a little costs no second request for the rest.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from django.utils.translation import gettext_noop as _

from accounts.payers import payer_of
from gateway.errors import GatewayError
from gateway.labels import LabelUnmet, labels_of, require_labels
from gateway.routing.routes import list_routes
from gateway.types import Route
from knowledge.enrichment import prompt
from knowledge.enrichment.answers import (
    DOCUMENT_FORM,
    PASSAGES_FORM,
    AboutPassage,
    parse_document,
    parse_passages,
)
from knowledge.enrichment.asking import AT_ONCE, Asker, EnrichmentFailed, Question, ask_all
from knowledge.enrichment.prompt import PASSAGES_AT_ONCE, PROMPT, Excerpt, Paper
from knowledge.ingestion.steps import fingerprint
from knowledge.labels import demands_of
from knowledge.models import Collection, Document, DocumentEnrichment, PassageEnrichment
from knowledge.types import ChunkDraft

GONE = _("The model that should enrich it is not offered any more. Choose another one.")
NOBODY_PAYS = _("Whoever switched enrichment on has left. Switch it on again.")


@dataclass(frozen=True, slots=True)
class Work:
    """What there is to describe, and how to say how far it is and whether to go on."""

    document: Document
    title: str
    text: str
    report: Callable[[int, int], None]
    look: Callable[[], None]


def version_of(collection: Collection) -> str:
    """Which prompt and model write for it; "" where nobody does."""
    model = collection.enrich_model
    return f"{PROMPT}:{fingerprint(model)[:16]}" if model else ""


def enrich(work: Work, collection: Collection, drafts: Sequence[ChunkDraft]) -> None:
    """Have written what is missing; what was written is read by `with_contexts`.

    Raises `EnrichmentFailed`; what was written until then stays.
    """
    model = collection.enrich_model
    keys = keys_of(model, work.title, drafts)
    about = _about_document(work, model, drafts)
    known = _known(work.document, keys)
    missing = [n for n, key in enumerate(keys) if key not in known and keys.index(key) == n]
    if about is None or missing:
        asker = _asker(collection)
        about = about or _write_about_document(work, asker, drafts)
        paper = Paper(work.title, summary=about.summary)
        _write_about_passages(work, asker, paper, [(keys[n], drafts[n]) for n in missing])
    rows = PassageEnrichment.objects.filter(document=work.document)
    rows.exclude(made_of__in=keys).delete()


def with_contexts(
    document: Document, model: str, title: str, drafts: Sequence[ChunkDraft]
) -> list[ChunkDraft]:
    """The passages with what was written about each; the first one has the document's too."""
    keys = keys_of(model, title, drafts)
    known = {row.made_of: row for row in PassageEnrichment.objects.filter(document=document)}
    about = DocumentEnrichment.objects.filter(document=document).first()
    made = []
    for n, (key, draft) in enumerate(zip(keys, drafts, strict=True)):
        row = known.get(key)
        said = [row.context, *row.questions] if row else []
        if not n and about is not None:
            said += [about.title, about.summary, ", ".join(about.key_phrases)]
        made.append(replace(draft, context="\n".join(filter(None, said))))
    return made


def keys_of(model: str, title: str, drafts: Sequence[ChunkDraft]) -> list[str]:
    """Of each passage, with all that the model is shown of it."""
    return [
        fingerprint(PROMPT, model, title, *draft.heading_path, draft.head, draft.text)
        for draft in drafts
    ]


def _asker(collection: Collection) -> Asker:
    """Whoever switched it on pays; nobody is asked who may not see the collection."""
    payer = collection.enrich_by
    if payer is None or not payer.is_active:
        raise EnrichmentFailed(NOBODY_PAYS)
    demands = demands_of([collection.pk])
    try:
        require_labels(routes_of(collection.enrich_model), demands)
    except LabelUnmet as error:
        raise EnrichmentFailed(str(error)) from error
    return Asker(collection.enrich_model, payer_of(payer, "enrichment"), labels_of(demands))


def routes_of(model: str) -> tuple[Route, ...]:
    """Who serves it; another model never stands in. Raises `EnrichmentFailed` for none."""
    routes = list_routes(model)
    found = tuple(route for route in routes if model in (route.model, route.alias))
    if not found:
        raise EnrichmentFailed(GONE)
    return found


def _known(document: Document, keys: Iterable[str]) -> set[str]:
    rows = PassageEnrichment.objects.filter(document=document, made_of__in=set(keys))
    return set(rows.values_list("made_of", flat=True))


def _paper(work: Work, drafts: Sequence[ChunkDraft]) -> Paper:
    headings = dict.fromkeys(" › ".join(draft.heading_path) for draft in drafts)
    shown = tuple(filter(None, headings))[: prompt.MOST_HEADINGS]
    return Paper(work.title, work.text[: prompt.MOST_TEXT], shown)


def _key_of_document(work: Work, model: str, drafts: Sequence[ChunkDraft]) -> str:
    paper = _paper(work, drafts)
    return fingerprint(PROMPT, model, paper.title, paper.opening, *paper.headings)


def _about_document(
    work: Work, model: str, drafts: Sequence[ChunkDraft]
) -> DocumentEnrichment | None:
    key = _key_of_document(work, model, drafts)
    return DocumentEnrichment.objects.filter(document=work.document, made_of=key).first()


def _write_about_document(
    work: Work, asker: Asker, drafts: Sequence[ChunkDraft]
) -> DocumentEnrichment:
    question = Question(prompt.ask_about_document(_paper(work, drafts)), DOCUMENT_FORM)
    (found,), failure = ask_all(asker, [question], lambda _n, said: parse_document(said), work.look)
    _raise(failure)
    facts = found[0].model_dump() if found else {}
    made_by = {"model": found[1] if found else asker.model, "prompt": PROMPT}
    about, _is_new = DocumentEnrichment.objects.update_or_create(
        document=work.document,
        defaults={
            "title": "", "summary": "", "key_phrases": [], **facts, **made_by,
            "made_of": _key_of_document(work, asker.model, drafts),
        },
    )  # fmt: skip
    return about


def _write_about_passages(
    work: Work, asker: Asker, paper: Paper, missing: Sequence[tuple[str, ChunkDraft]]
) -> None:
    done = 0
    for window in _cut(missing, AT_ONCE * PASSAGES_AT_ONCE):
        work.report(done, len(missing))
        parts = list(_cut(window, PASSAGES_AT_ONCE))
        left, failure = _write(work, asker, paper, parts)
        _raise(failure)
        if left:  # those that an answer left out are asked for once more, and then left alone
            parts = list(_cut(left, PASSAGES_AT_ONCE))
            left, failure = _write(work, asker, paper, parts)
            _raise(failure)
            _save(work.document, asker.model, [(key, AboutPassage()) for key, _draft in left])
        done += len(window)


Keyed = Sequence[tuple[str, ChunkDraft]]


def _write(
    work: Work, asker: Asker, paper: Paper, parts: Sequence[Keyed]
) -> tuple[list[tuple[str, ChunkDraft]], GatewayError | None]:
    """Keep what is written about these; what nothing was written about."""
    questions = [
        Question(
            prompt.ask_about_passages(
                paper, [Excerpt(draft.heading_path, draft.text, draft.head) for _key, draft in part]
            ),
            PASSAGES_FORM,
        )
        for part in parts
    ]
    parse = partial(_parse_part, parts)
    found, failure = ask_all(asker, questions, parse, work.look)
    left = []
    for part, answer in zip(parts, found, strict=True):
        written, model = answer or ({}, asker.model)
        told = [(key, written[n]) for n, (key, _draft) in enumerate(part, 1) if n in written]
        _save(work.document, model, told)
        left += [one for n, one in enumerate(part, 1) if n not in written]
    return left, failure


def _parse_part(parts: Sequence[Keyed], number: int, said: str) -> dict[int, AboutPassage]:
    return parse_passages(said, len(parts[number]))


def _save(document: Document, model: str, written: Iterable[tuple[str, AboutPassage]]) -> None:
    PassageEnrichment.objects.bulk_create(
        [
            PassageEnrichment(
                document=document, made_of=key, model=model, prompt=PROMPT,
                context=about.context, questions=list(about.questions),
            )
            for key, about in written
        ],
        ignore_conflicts=True,
    )  # fmt: skip


def _cut(items: Sequence[tuple[str, ChunkDraft]], size: int) -> Iterator[Keyed]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _raise(failure: GatewayError | None) -> None:
    if failure is not None:
        raise EnrichmentFailed(str(failure)) from failure
