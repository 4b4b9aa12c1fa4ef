"""How a document's state reads in a list: a badge, how far it is, and what went wrong."""

import re
from dataclasses import dataclass
from pathlib import PurePath

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from events.jobs import UNEXPECTED
from knowledge.curation.documents import Twin
from knowledge.extraction.reasons import NEEDS_OCR
from knowledge.file_kinds import (
    CSV,
    DOCX,
    EML,
    EPUB,
    HTML,
    IPYNB,
    JSON,
    JSONL,
    MARKDOWN,
    MBOX,
    PDF,
    PPTX,
    PROGRAMS,
    RST,
    TEXT,
    TSV,
    XLSX,
)  # fmt: skip
from knowledge.models import Document, Stage

WORKING: dict[str, str | Promise] = {
    Stage.Name.FETCH: pgettext_lazy("stage of indexing", "Fetching"),
    Stage.Name.EXTRACT: pgettext_lazy("stage of indexing", "Reading"),
    Stage.Name.CLEAN: pgettext_lazy("stage of indexing", "Cleaning"),
    Stage.Name.CHUNK: pgettext_lazy("stage of indexing", "Splitting"),
    Stage.Name.ENRICH: pgettext_lazy("stage of indexing", "Enriching"),
    Stage.Name.EMBED: pgettext_lazy("stage of indexing", "Embedding"),
    Stage.Name.LOAD: pgettext_lazy("stage of indexing", "Saving"),
}
LANGUAGES: dict[str, str | Promise] = {
    "en": gettext_lazy("English"),
    "zh": gettext_lazy("Chinese"),
    "zh-hans": "简体中文",
    "zh-hant": "繁體中文",
    "ar": "العربية",
    "de": "Deutsch",
    "el": "Ελληνικά",
    "es": "Español",
    "fr": "Français",
    "he": "עברית",
    "hi": "हिन्दी",
    "it": "Italiano",
    "ja": "日本語",
    "ko": "한국어",
    "nl": "Nederlands",
    "pt": "Português",
    "ru": "Русский",
    "th": "ไทย",
    "uk": "Українська",
}
INCIDENT = re.compile(re.escape(UNEXPECTED).replace(re.escape("%(incident)s"), r"(\w+)"))
TYPE_NAMES: dict[str, str | Promise] = {
    PDF.media_type: "PDF",
    DOCX.media_type: "Word",
    MARKDOWN.media_type: "Markdown",
    HTML.media_type: "HTML",
    TEXT.media_type: pgettext_lazy("type of file", "Text"),
    XLSX.media_type: "Excel",
    PPTX.media_type: "PowerPoint",
    EPUB.media_type: "EPUB",
    RST.media_type: "reStructuredText",
    CSV.media_type: "CSV",
    TSV.media_type: "TSV",
    JSON.media_type: "JSON",
    JSONL.media_type: "JSON Lines",
    IPYNB.media_type: "Jupyter",
    EML.media_type: pgettext_lazy("type of file", "Message"),
    MBOX.media_type: pgettext_lazy("type of file", "Mailbox"),
    **{known.media_type: pgettext_lazy("type of file", "Program") for known in PROGRAMS},
}
# Ending of the file name -> (label, style class) of its tile.
KINDS = {
    ".pdf": ("PDF", "pdf"), ".docx": ("DOC", "doc"), ".md": ("MD", "md"),
    ".markdown": ("MD", "md"), ".html": ("HTML", "web"), ".htm": ("HTML", "web"),
    ".txt": ("TXT", "txt"), ".xlsx": ("XLS", "sheet"), ".csv": ("CSV", "sheet"),
    ".tsv": ("TSV", "sheet"), ".pptx": ("PPT", "slides"), ".epub": ("EPUB", "doc"),
    ".eml": ("MAIL", "mail"), ".mbox": ("MAIL", "mail"), ".ipynb": ("NB", "code"),
    **{
        ending: (ending[1:5].upper(), "code")
        for known in (*PROGRAMS, JSON, JSONL) for ending in known.endings
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A document and how its line in the list reads; `total` is 0 while that is not known."""

    document: Document
    kind: str
    kind_class: str
    label: str
    badge: str
    icon: str
    is_active: bool
    detail: str = ""
    done: int = 0
    total: int = 0
    twin: Twin | None = None  # another document with the same words, where that is asked for
    failure: str = ""  # of a newer version, while this one is searched

    @property
    def language(self) -> str:
        return str(LANGUAGES.get(self.document.language.lower(), ""))

    @property
    def html_language(self) -> str:
        """The tag for `lang`, so that Chinese text gets the glyphs of its own script."""
        head, _dash, script = self.document.language.partition("-")
        return f"{head}-{script.title()}" if script else head


def describe(document: Document) -> Row:
    """The row of a document whose stages are loaded."""
    ending = PurePath(document.file_name).suffix.lower()
    kind, kind_class = KINDS.get(ending, (ending[1:5].upper() or "–", "txt"))
    if document.status == Document.Status.READY and document.excluded_at:
        return Row(document, kind, kind_class, _("Excluded"), "", "eye-off", is_active=False)
    if document.status == Document.Status.READY:
        return Row(document, kind, kind_class, _("Ready"), "ok", "check", is_active=False)
    if document.status == Document.Status.QUEUED:
        return Row(document, kind, kind_class, _("Waiting"), "", "clock", is_active=True)
    if document.status == Document.Status.PAUSED:
        return Row(document, kind, kind_class, _("Paused"), "", "pause", is_active=False)
    if document.status == Document.Status.FAILED:
        reason = in_words(document.reason) or _("It could not be indexed. Try again.")
        label = _("Needs OCR") if document.reason == NEEDS_OCR else _("Needs attention")
        return Row(
            document, kind, kind_class, label, "warn", "triangle-alert",
            is_active=False, detail=reason,
        )  # fmt: skip
    stage = _running_stage(document)
    label = str(WORKING[stage.name]) if stage else _("Starting")
    row = Row(document, kind, kind_class, label, "live", "loader-circle", is_active=True)
    return _with_progress(row, stage) if stage and stage.total else row


def in_words(reason: str) -> str:
    """A stored reason, which is an English source string, in the reader's language."""
    if found := INCIDENT.fullmatch(reason):
        return _(UNEXPECTED) % {"incident": found[1]}
    return _(reason) if reason else ""


def _running_stage(document: Document) -> Stage | None:
    return next((s for s in document.stages.all() if s.status == Stage.Status.RUNNING), None)


def _with_progress(row: Row, stage: Stage) -> Row:
    if stage.name == Stage.Name.EXTRACT:
        words = ngettext("page %(done)d of %(total)d", "page %(done)d of %(total)d", stage.total)
    else:
        words = ngettext(
            "%(done)d of %(total)d passage", "%(done)d of %(total)d passages", stage.total
        )
    return Row(
        row.document, row.kind, row.kind_class, row.label, row.badge, row.icon, is_active=True,
        detail=words % {"done": stage.done, "total": stage.total},
        done=stage.done, total=stage.total,
    )  # fmt: skip
