"""The types of files that are read: what they are called, stored as and sent as."""

from dataclasses import dataclass
from pathlib import PurePath


@dataclass(frozen=True, slots=True)
class FileType:
    """`kind` is what reads it (`knowledge.extraction.dispatch`)."""

    kind: str
    media_type: str
    endings: tuple[str, ...]
    # What clients declare it as besides; a declaration ending in / stands for all of its kind.
    declared: tuple[str, ...] = ()


_OFFICE = "application/vnd.openxmlformats-officedocument."
_ZIP = ("application/zip", "application/x-zip-compressed")
_DATA = ("text/", "application/")

PDF = FileType("pdf", "application/pdf", (".pdf",), ("application/x-pdf",))
DOCX = FileType(
    "docx", f"{_OFFICE}wordprocessingml.document", (".docx",), ("application/msword", *_ZIP)
)
XLSX = FileType(
    "xlsx", f"{_OFFICE}spreadsheetml.sheet", (".xlsx",), ("application/vnd.ms-excel", *_ZIP)
)
PPTX = FileType(
    "pptx", f"{_OFFICE}presentationml.presentation", (".pptx",),
    ("application/vnd.ms-powerpoint", *_ZIP),
)  # fmt: skip
EPUB = FileType("epub", "application/epub+zip", (".epub",), _ZIP)
HTML = FileType(
    "html", "text/html", (".html", ".htm", ".xhtml"), ("application/xhtml+xml", "text/plain")
)
MARKDOWN = FileType("markdown", "text/markdown", (".md", ".markdown", ".mdown"), ("text/",))
RST = FileType("rst", "text/x-rst", (".rst",), ("text/",))
CSV = FileType("csv", "text/csv", (".csv",), ("text/", "application/vnd.ms-excel"))
TSV = FileType("csv", "text/tab-separated-values", (".tsv", ".tab"), ("text/",))
JSON = FileType("json", "application/json", (".json", ".geojson"), _DATA)
JSONL = FileType("jsonl", "application/x-ndjson", (".jsonl", ".ndjson"), _DATA)
IPYNB = FileType("ipynb", "application/x-ipynb+json", (".ipynb",), _DATA)
EML = FileType("eml", "message/rfc822", (".eml",), ("text/", "message/"))
MBOX = FileType("mbox", "application/mbox", (".mbox",), ("text/",))
TEXT = FileType("text", "text/plain", (".txt", ".text", ".log", ""), ("text/",))

# Programs: language, endings. Those of the last line are read by their indentation.
_PROGRAMS: dict[str, tuple[str, ...]] = {
    "bash": (".sh", ".bash"),
    "c": (".c", ".h"),
    "cpp": (".cc", ".cpp", ".cxx", ".hpp", ".hh"),
    "csharp": (".cs",),
    "go": (".go",),
    "java": (".java",),
    "javascript": (".js", ".mjs", ".cjs", ".jsx"),
    "php": (".php",),
    "python": (".py", ".pyi"),
    "ruby": (".rb",),
    "rust": (".rs",),
    "tsx": (".tsx",),
    "typescript": (".ts", ".mts", ".cts"),
    "source": (
        ".cfg", ".conf", ".css", ".diff", ".env", ".ini", ".kt", ".lua", ".patch", ".pl", ".po",
        ".proto", ".ps1", ".r", ".scala", ".scss", ".sql", ".srt", ".swift", ".tex", ".toml",
        ".vtt", ".xml", ".yaml", ".yml",
    ),
}  # fmt: skip
# Browsers know .ts as a film.
_SENT_AS = (*_DATA, "video/mp2t", "video/vnd.dlna.mpeg-tts")
PROGRAMS = tuple(
    FileType(f"code:{language}", f"text/x-{language}", endings, _SENT_AS)
    for language, endings in _PROGRAMS.items()
)
ARCHIVES = (DOCX, XLSX, PPTX, EPUB)
FILE_TYPES = (
    PDF, *ARCHIVES, HTML, MARKDOWN, RST, CSV, TSV, JSON, JSONL, IPYNB, EML, MBOX, TEXT, *PROGRAMS,
)  # fmt: skip

PNG = FileType("image", "image/png", (".png",))
JPEG = FileType("image", "image/jpeg", (".jpg", ".jpeg", ".jfif"), ("image/jpg", "image/pjpeg"))
GIF = FileType("image", "image/gif", (".gif",))
WEBP = FileType("image", "image/webp", (".webp",))
IMAGES = (PNG, JPEG, GIF, WEBP)
ATTACHABLE = (*FILE_TYPES, *IMAGES)


_PROGRAM_ENDINGS = frozenset(ending for known in PROGRAMS for ending in known.endings)


def title_of(file_name: str) -> str:
    """What a document is called that has no title of its own: of a program, all of its name."""
    path = PurePath(file_name)
    is_program = path.suffix.lower() in _PROGRAM_ENDINGS
    return (file_name if is_program else path.stem) or file_name
