"""When two questions are the same, and how near one is to another. Pure."""

import hashlib
import re
import unicodedata

from knowledge.analyzer import analyze, is_cjk, term_id

_EDGES = re.compile(r"^[\s\W]+|[\s\W]+$")
_SPACE = re.compile(r"\s+")
LATIN, CJK = "latin", "cjk"


def key_of(text: str) -> str:
    """The same for two questions that differ in case, width, white space and their last mark."""
    plain = _SPACE.sub(" ", unicodedata.normalize("NFKC", text).casefold())
    return hashlib.sha256(_EDGES.sub("", plain).encode(errors="surrogatepass")).hexdigest()


def terms_of(text: str) -> list[int]:
    """What search reads of it, each term once, in order: Traditional and Simplified are one."""
    return sorted({term_id(term) for term in analyze(text)})


def script_of(text: str) -> str:
    return CJK if is_cjk(text) else LATIN


def plain(text: str) -> str:
    """For comparing quotes: white space does not count where lines were broken otherwise."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", text)).casefold()
