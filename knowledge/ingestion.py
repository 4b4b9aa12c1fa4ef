"""One document through its stages: extract → chunk → embed → load, each recorded as it happens.

Nothing is held open between stages: no transaction while a file is read or a model computes.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol

from django.db import connection
from django.db.models.functions import Now
from django.utils.translation import gettext_noop as _

from accounts.payers import payer_of
from gateway.embedding.embedder import LOCAL_NAME, Embedder, Vectors, get_embedder
from gateway.labels import LabelUnmet
from knowledge import indexing, storage
from knowledge.analyzer import guess_language, is_cjk
from knowledge.chunking import chunk, index_text
from knowledge.errors import DocumentGone
from knowledge.extraction.process import extract
from knowledge.extraction.reasons import ExtractionFailed
from knowledge.file_types import type_of_media
from knowledge.indexing import Generation
from knowledge.labels import embedding_demands
from knowledge.models import Document, Stage
from knowledge.pictures import is_picture, take_picture
from knowledge.reuse import known_vectors
from knowledge.types import ChunkDraft, Extracted
from knowledge.versions import find_active_version

CHECK_EVERY_SECONDS = 0.2
ADVANCE = """
update knowledge_stage
set status = case name when %(ended)s then 'done' else 'running' end,
    started_at = case name when %(ended)s then started_at else clock_timestamp() end,
    finished_at = case name when %(ended)s then clock_timestamp() end,
    done = case name when %(ended)s then %(done)s else 0 end,
    total = case name when %(ended)s then %(done)s else 0 end,
    reason = ''
where document_id = %(id)s and name in (%(ended)s, %(begun)s)
"""
# Texts embedded between two reports of progress.
EMBED_BATCH = 64
NO_PASSAGES = _("There is nothing to search in this file.")


class Progress(Protocol):
    """What a stage needs of its job: to report, and to learn that it should stop."""

    def progress(self, stage: str, done: int, total: int) -> None: ...

    def check(self) -> None: ...


def ingest(document: Document, job: Progress) -> bool:
    """Index the document from its stored file.

    Returns whether its collection should be weighed again. Raises `ExtractionFailed` with a reason
    when the file is at fault; the failed stage has it too.
    """
    changed = Document.objects.filter(pk=document.pk).update(status=Document.Status.RUNNING)
    if not changed:
        raise DocumentGone(str(document.pk))
    stages = _Stages(document, job)
    try:
        if is_picture(document):
            stages.begin(Stage.Name.EXTRACT)
            take_picture(document, job.check)
            stages.end_all()
            return False
        return _go_through(stages, document, job)
    except ExtractionFailed as failure:
        stages.fail(str(failure))
        raise


def _go_through(stages: "_Stages", document: Document, job: Progress) -> bool:
    stages.begin(Stage.Name.EXTRACT)
    extracted = _extract(document, job.check)
    title = (" ".join(extracted.title.split()) or document.title)[:300]
    stages.begin(Stage.Name.CHUNK)
    drafts = chunk(extracted.text, extracted.blocks, title)
    if not drafts:
        raise ExtractionFailed(NO_PASSAGES)
    version = find_active_version()
    stages.begin(Stage.Name.EMBED, len(drafts))
    embedder = _embedder(document, version.model)
    known = known_vectors(document, version)
    vectors = embed_drafts(embedder, title, drafts, stages.report, known)
    stages.begin(Stage.Name.LOAD, len(drafts))
    generation = Generation(title, extracted, drafts, vectors, version)
    has_drifted = indexing.replace_chunks(document, generation, job.check, stages.finish)
    job.progress(Stage.Name.LOAD.value, len(drafts), len(drafts))
    return has_drifted


def _embedder(document: Document, model: str) -> Embedder:
    """One that may see the document; the reason of its failure is what its reader is told."""
    try:
        if model == LOCAL_NAME:
            return get_embedder(model)
        demands = embedding_demands(model, [document.collection_id])
        payer = payer_of(document.added_by, "embedding")
        return get_embedder(model, demands, payer=payer, remember=False)
    except LabelUnmet as error:
        raise ExtractionFailed(str(error)) from error


def embed_drafts(
    embedder: Embedder,
    title: str,
    drafts: Sequence[ChunkDraft],
    report: Callable[[int, int], None],
    known: Mapping[str, Vectors] = MappingProxyType({}),
) -> dict[int, Vectors]:
    """A vector for each passage by its position, computed with the title path.

    What is `known` by its text is not computed again. An English-only embedder is not asked about
    Chinese passages: search never uses such vectors.
    """
    texts = {
        position: index_text(title, draft.heading_path, draft.text, draft.head)
        for position, draft in enumerate(drafts)
        if embedder.is_multilingual or not is_cjk(draft.text)
    }
    # Long texts first: the threads of a batch then end together.
    vectors = {position: known[text] for position, text in texts.items() if text in known}
    order = sorted(texts.keys() - vectors, key=lambda position: -len(texts[position]))
    for start in range(0, len(order), EMBED_BATCH):
        batch = order[start : start + EMBED_BATCH]
        found = embedder.embed([texts[position] for position in batch])
        vectors.update(zip(batch, found, strict=True))
        report(start + len(batch), len(order))
    return vectors


def _extract(document: Document, check: Callable[[], None]) -> Extracted:
    kind = type_of_media(document.media_type).kind
    extracted = extract(storage.path_of(document.pk), kind, check)
    return replace(extracted, language=guess_language(extracted.text))


class _Stages:
    """Records the stages as they follow each other; most documents need a statement for each."""

    def __init__(self, document: Document, job: Progress) -> None:
        self._document = document
        self._job = job
        self._name = ""
        self._total = 1
        self._checked = 0.0

    def begin(self, name: Stage.Name, done: int = 1) -> None:
        """The stage before has done all of its `done`; this one is running."""
        now = time.monotonic()
        if now - self._checked > CHECK_EVERY_SECONDS:
            self._job.check()
            self._checked = now
        before = self._name
        self._name = name.value
        self._advance(before, name.value, done)

    def report(self, done: int, total: int) -> None:
        """Show progress inside a long stage; its end is recorded by what comes after."""
        if done < total:
            stage = Stage.objects.filter(document=self._document, name=self._name)
            stage.update(done=done, total=total)
            self._job.progress(self._name, done, total)

    def finish(self, done: int) -> None:
        """The last stage has done all of its `done`."""
        self._advance(self._name, "", done)

    def end_all(self) -> None:
        """There was one thing to do, and it is done."""
        now = Now()
        stages = Stage.objects.filter(document=self._document)
        stages.update(status=Stage.Status.DONE, done=1, total=1, started_at=now, finished_at=now)

    def fail(self, reason: str) -> None:
        stage = Stage.objects.filter(document=self._document, name=self._name)
        stage.update(status=Stage.Status.FAILED, reason=reason, finished_at=Now())

    def _advance(self, ended: str, begun: str, done: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                ADVANCE, {"id": self._document.pk, "ended": ended, "begun": begun, "done": done}
            )
