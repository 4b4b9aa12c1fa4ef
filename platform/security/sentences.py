"""Sentences that are kept as a code with its values, and said in the language of whoever reads.

A `Sentence` is a text in the language of the moment for whoever wants no more. Whoever keeps it
keeps `stored(sentence)`, and `said(kept)` are its words in the language that is active then. What
was kept as plain words, as all once was, stays these words.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Self

import orjson
from django.utils.translation import gettext

Template = Any  # a text, also a lazy one that counts
Stored = Any  # as JSON holds it: plain words, or a code with its values

TOGETHER = "together"  # sentences one after the other
SOURCE = "source"  # an English sentence of the product's own that has no code
WIDE_ENDS = ("。", "？", "！", "；", "：")

_templates: dict[str, Template] = {TOGETHER: "{sentences}", SOURCE: "{text}"}


def declare(sentences: Mapping[str, Template]) -> None:
    """The sentences of a module by their codes, which last: they are stored.

    Values go where the sentence names them; `detail` follows behind a sentence that does not.
    """
    if known := sentences.keys() & _templates.keys():
        raise ValueError(f"declared twice: {sorted(known)}")
    _templates.update(sentences)


class Sentence(str):
    """The words of a declared code and its values; these may be sentences, and lists of them."""

    code: str
    values: dict[str, Any]

    def __new__(cls, code: str, /, **values: Any) -> Self:
        made = super().__new__(cls, _words(_templates[code], code, values))
        made.code, made.values = code, values
        return made

    def __deepcopy__(self, memo: object) -> Self:
        return self


def together(sentences: Iterable[str]) -> str:
    """One text of these, each said once; empty for none."""
    found = list(dict.fromkeys(filter(None, sentences)))
    if len(found) > 1:
        return Sentence(TOGETHER, sentences=found)
    return found[0] if found else ""


def stored(text: Any) -> Stored:
    """The form to keep. Plain words stay as they are."""
    if isinstance(text, Sentence):
        values = {name: stored(value) for name, value in text.values.items()}
        return {"code": text.code, "values": values}
    return [stored(item) for item in text] if isinstance(text, list | tuple) else text


def said(kept: Stored) -> Any:
    """The same with every sentence in it, at whatever depth, in the reader's language.

    The code of another version of Parley, which is unknown here, says nothing.
    """
    if isinstance(kept, list):
        return [said(item) for item in kept]
    if not isinstance(kept, dict):
        return kept
    if kept.keys() != {"code", "values"}:
        return {name: said(value) for name, value in kept.items()}
    values = {name: said(value) for name, value in kept["values"].items()}
    return _words(_templates.get(kept["code"], ""), kept["code"], values)


def has_codes(kept: Stored) -> bool:
    """Whether `said` would say anything in other words than are kept."""
    if isinstance(kept, list):
        return any(map(has_codes, kept))
    if not isinstance(kept, dict):
        return False
    return kept.keys() == {"code", "values"} or any(map(has_codes, kept.values()))


def as_text(kept: Stored) -> str:
    """For a column of text."""
    return kept if isinstance(kept, str) else orjson.dumps(kept).decode()


def said_text(text: str) -> str:
    """What `as_text` made, or words of old, as it is said now."""
    if not text.startswith('{"code":'):
        return text
    try:
        return str(said(orjson.loads(text)))
    except orjson.JSONDecodeError:
        return text


def _words(template: Template, code: str, values: Mapping[str, Any]) -> str:
    if code == SOURCE:
        return gettext(values["text"]) if values["text"] else ""
    join = _one_after_another if code == TOGETHER else gettext(", ").join
    words = {
        name: join(map(str, value)) if isinstance(value, list | tuple) else value
        for name, value in values.items()
    }
    return _one_after_another([template.format(**words), str(words.get("detail", ""))])


def _one_after_another(sentences: Iterable[str]) -> str:
    """With a space between them, which Chinese has none of behind its wide full stops."""
    text = ""
    for sentence in filter(None, sentences):
        text += sentence if not text or text.endswith(WIDE_ENDS) else f" {sentence}"
    return text.strip()
