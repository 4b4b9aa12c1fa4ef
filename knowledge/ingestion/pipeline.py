"""The order of the steps, and what is left out because nothing changed."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.utils.translation import gettext_noop as _

from knowledge import indexing
from knowledge.chunking import chunk
from knowledge.curation.reapplying import reapply
from knowledge.enrichment.asking import EnrichmentFailed
from knowledge.enrichment.step import Work, enrich, version_of, with_contexts
from knowledge.errors import DocumentGone
from knowledge.extraction.reasons import ExtractionFailed
from knowledge.indexing import Generation
from knowledge.ingestion import reading
from knowledge.ingestion.embedding import embed_drafts, embedder_for
from knowledge.ingestion.recording import Progress, Stages
from knowledge.ingestion.steps import CLEANER, READER, SPLITTER, fingerprint
from knowledge.models import Document, DocumentVersion, EmbeddingVersion, Stage
from knowledge.pictures import is_picture, take_picture
from knowledge.reuse import known_vectors
from knowledge.types import ChunkDraft, Extracted
from knowledge.versions import find_active_version

NO_PASSAGES = _("There is nothing to search in this file.")
Made = dict[str, tuple[str, str]]  # by step: of which input, by which version


@dataclass(frozen=True, slots=True)
class Source:
    """What the text of a document was read from, and the title it goes by."""

    extracted: Extracted
    title: str
    sha256: str

    @property
    def fingerprint(self) -> str:
        """Of everything that passages are made of."""
        return fingerprint(self.sha256, READER + self.extracted.ocr, CLEANER, self.title)


def ingest(document: Document, job: Progress, *, is_forced: bool = True) -> bool:
    """Index the version that waits, or else the document as it is, from what is stored.

    Unless it `is_forced`, passages that are as they would be made again are left alone. Returns
    whether the collection should be weighed again. Raises `ExtractionFailed` with a reason when
    the file is at fault; the failed step has it too.
    """
    going = Document.objects.filter(pk=document.pk, job_id=document.job_id)
    if not going.exclude(status=Document.Status.PAUSED).update(status=Document.Status.RUNNING):
        raise DocumentGone(str(document.pk))
    stages = Stages(document, job)
    try:
        if is_picture(document):
            stages.begin(Stage.Name.EXTRACT)
            take_picture(document, job.check)
            stages.end_all()
            return False
        return _go_through(stages, document, job, is_forced=is_forced)
    except ExtractionFailed as failure:
        stages.fail(str(failure))
        raise


def _go_through(stages: Stages, document: Document, job: Progress, *, is_forced: bool) -> bool:
    waiting = document.versions.filter(state=DocumentVersion.State.WAITING).first()
    is_anew = is_forced or waiting is not None or not document.chunk_count
    made = {} if is_anew else _made_before(document)
    source = _read(stages, document, waiting, job)
    version = find_active_version()
    if made and made == _would_be_made(source, document, version):
        return _leave(stages, document, job)
    stages.begin(Stage.Name.CHUNK)
    drafts = chunk(source.extracted.text, source.extracted.blocks, source.title)
    if not drafts:
        raise ExtractionFailed(NO_PASSAGES)
    edited = reapply(document, source.extracted.text, drafts)
    drafts = edited.drafts
    stages.end(source.fingerprint, SPLITTER)
    drafts = _enrich(stages, document, source, drafts, job)
    stages.begin(Stage.Name.EMBED)
    embedder = embedder_for(document, version.model)
    known = known_vectors(document, version)
    vectors = embed_drafts(embedder, source.title, drafts, stages.report, known)
    stages.end(_embedded_of(source, document), str(version.pk), done=len(drafts))
    stages.begin(Stage.Name.LOAD)
    generation = Generation(
        source.title,
        source.extracted,
        drafts,
        vectors,
        version,
        waiting,
        source.sha256,
        READER,
        edited.text,
        edited.likeness,
    )
    finish = partial(_finish, stages, edited.save)
    has_drifted = indexing.replace_chunks(document, generation, job.check, finish)
    job.progress(Stage.Name.LOAD.value, len(drafts), len(drafts))
    return has_drifted


def _read(
    stages: Stages, document: Document, waiting: DocumentVersion | None, job: Progress
) -> Source:
    content = reading.content_of(document, waiting)
    stages.begin(Stage.Name.FETCH, is_long=False)
    sha256 = reading.fetch(content)
    stages.end(sha256)
    stages.begin(Stage.Name.EXTRACT)
    extracted, is_kept = reading.read(document, content, sha256, job.check)
    stages.end(sha256, READER, is_kept=is_kept)
    stages.begin(Stage.Name.CLEAN, is_long=False)
    extracted, title = reading.clean(extracted, content)
    stages.end(fingerprint(sha256, READER), CLEANER)
    return Source(extracted, title, sha256)


def _made_before(document: Document) -> Made:
    rows = Stage.objects.filter(
        document=document, name__in=(Stage.Name.CHUNK, Stage.Name.ENRICH, Stage.Name.EMBED)
    ).exclude(input_hash="")
    return {row.name: (row.input_hash, row.step_version) for row in rows}


def _would_be_made(source: Source, document: Document, version: EmbeddingVersion) -> Made:
    made = {
        Stage.Name.CHUNK.value: (source.fingerprint, SPLITTER),
        Stage.Name.EMBED.value: (_embedded_of(source, document), str(version.pk)),
    }
    if written_by := version_of(document.collection):
        made[Stage.Name.ENRICH.value] = (fingerprint(source.fingerprint, SPLITTER), written_by)
    return made


def _embedded_of(source: Source, document: Document) -> str:
    """The hash of all that vectors are made of."""
    written_by = version_of(document.collection)
    return fingerprint(source.fingerprint, SPLITTER, *filter(None, [written_by]))


def _enrich(
    stages: Stages, document: Document, source: Source, drafts: list[ChunkDraft], job: Progress
) -> list[ChunkDraft]:
    """With what a model wrote about them, where the collection wants that.

    Search does not wait for a model: where it does not answer the step has failed, and the document
    is found by its own words, and by what was written until then.
    """
    collection = document.collection
    if not collection.enrich_model or not drafts:
        return drafts
    stages.begin(Stage.Name.ENRICH)
    work = Work(document, source.title, source.extracted.text, stages.report, job.check)
    try:
        enrich(work, collection, drafts)
    except EnrichmentFailed as failure:
        stages.fail(str(failure))
    else:
        made_of = fingerprint(source.fingerprint, SPLITTER)
        stages.end(made_of, version_of(collection), done=len(drafts))
    return with_contexts(document, collection.enrich_model, source.title, drafts)


def _leave(stages: Stages, document: Document, job: Progress) -> bool:
    """Everything is as it would be made again."""
    for name, (made_of, by) in _made_before(document).items():
        stages.begin(Stage.Name(name), is_long=False)
        stages.end(made_of, by, done=document.chunk_count, is_kept=True)
    stages.begin(Stage.Name.LOAD, is_long=False)
    stages.end(done=document.chunk_count, is_kept=True)
    job.check()
    indexing.leave_chunks(document, job.check, stages.finish)
    return False


def _finish(stages: Stages, save_edits: Callable[[], None], done: int) -> None:
    """The last step has done all of its `done`."""
    save_edits()
    stages.end(done=done)
    stages.finish()
