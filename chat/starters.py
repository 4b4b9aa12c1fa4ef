"""Questions that an empty chat offers, each answered by a document that the person may read.

Those about the samples are written by hand; of any other document its title and first heading make
one, in the document's language. The same documents always give the same questions.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import get_language

from accounts.models import User
from knowledge.models import Chunk, Collection, Document
from security.reading import second_lock

SHOWN = 4
LOOKED_AT = 24  # documents, the newest
PASSAGES = 8  # of each of them, for a heading
LONGEST = 60

SAMPLES = {
    "leave-policy.md": "How much parental leave may each parent take?",
    "coffee-machine.md": "The coffee machine shows E3. What should I do?",
    "remote-work.txt": "How many days a year may I work from another country?",
    "on-call-runbook.md": "Who is paged when nobody answers an alarm?",
    "差旅报销制度.md": "出差结束后多久要提交报销单？",
    "新進員工手冊.md": "門禁卡遺失了怎麼辦？",
}


class Wording(NamedTuple):
    """How a question is put in a language."""

    tag: str  # for the page: which font, which voice
    about: str
    whole: str


WORDINGS = {
    "en": Wording(
        "en", "What does “{title}” say about {heading}?", "What are the main points of “{title}”?"
    ),
    "zh-hans": Wording(
        "zh-Hans", "《{title}》里关于“{heading}”是怎么说的？", "《{title}》的要点有哪些？"
    ),
    "zh-hant": Wording(
        "zh-Hant", "《{title}》裡關於「{heading}」是怎麼說的？", "《{title}》的重點有哪些？"
    ),
}
_NUMBER = re.compile(
    r"^(?:第?[一二三四五六七八九十百\d]+[章节節条條、.．)）]\s*|\d+(?:\.\d+)*\.?\s+)+"
)
_SAYS_NOTHING = (
    "introduction overview summary abstract contents references appendix background purpose scope "
    "notes preface readme general about 简介 概述 摘要 目录 引言 前言 总则 附则 背景 说明 目的 "
    "范围 簡介 目錄 總則 附則 說明 範圍"
)
_EMPTY_WORDS = frozenset(_SAYS_NOTHING.split())


@dataclass(frozen=True, slots=True)
class Starter:
    question: str
    source: str
    """Where the answer is: the document's title, or the collection if that is in the question."""
    language: str


@second_lock
def list_starters(user: User | AnonymousUser) -> list[Starter]:
    """Up to four: the person's language first, then one of each other; two small queries."""
    collections = Collection.objects.visible_to(user)
    documents = list(
        Document.objects.shown_to(user)
        .filter(collection__in=collections, status=Document.Status.READY)
        .select_related("collection")
        .only("title", "file_name", "language", "collection__name")
        .order_by("-id")[:LOOKED_AT]
    )
    others = [document.pk for document in documents if document.file_name not in SAMPLES]
    headings = _first_headings(others)
    offered = [_starter(document, headings.get(document.pk, "")) for document in documents]
    return _choose(starter for starter in offered if starter is not None)


def _choose(offered: Iterable[Starter]) -> list[Starter]:
    """Half of them at least in the person's language; what is missing is filled from the rest."""
    language = (get_language() or "en").lower()
    all_of_them = list(offered)
    own = [starter for starter in all_of_them if starter.language.lower() == language]
    others = {it.language: it for it in reversed(all_of_them) if it not in own}
    first = own[: SHOWN - min(len(others), SHOWN // 2)]
    return list(dict.fromkeys([*first, *others.values(), *own, *all_of_them]))[:SHOWN]


def _starter(document: Document, heading: str) -> Starter | None:
    wording = WORDINGS.get(document.language.lower(), WORDINGS["en"])
    if question := SAMPLES.get(document.file_name):
        return Starter(question, document.title, wording.tag)
    title = _readable(document.title)
    if not title:
        return None
    if heading.endswith(("?", "？")):
        return Starter(heading, title, wording.tag)
    words = wording.about if heading else wording.whole
    question = words.format(title=title, heading=_inside(heading))
    return Starter(question, document.collection.name, wording.tag)


def _first_headings(document_ids: list[UUID]) -> dict[UUID, str]:
    """Of each document the first heading that says what a part of it is about."""
    chunks = Chunk.objects.filter(document__in=document_ids, position__lt=PASSAGES)
    rows = chunks.order_by("document", "position").values_list(
        "document", "document__title", "heading_path"
    )
    found: dict[UUID, str] = {}
    for document, title, path in rows:
        if document not in found and (heading := next(_telling(path, title), "")):
            found[document] = heading
    return found


def _telling(path: list[str], title: str) -> Iterator[str]:
    for heading in reversed(path):
        words = _NUMBER.sub("", " ".join(heading.split())).strip(" :：.。#")
        is_empty = words.lower() in _EMPTY_WORDS or words.lower() == title.lower()
        if 1 < len(words) <= LONGEST and not is_empty:
            yield words


def _readable(title: str) -> str:
    """A title as one says it; none for what is only a number or a key."""
    words = " ".join((title if " " in title else title.replace("_", " ")).split())
    has_words = re.search(r"[^\W\d_]{3,}|[\u4e00-\u9fff]{2,}", words)
    is_key = " " not in title and re.search(r"\d{5,}|[0-9a-f]{12,}", title)
    return words if has_words and not is_key and len(words) <= LONGEST else ""


def _inside(heading: str) -> str:
    """As in the middle of a sentence: “Annual leave” changes, “API keys” and “Every Friday” not."""
    first, _space, rest = heading.partition(" ")
    is_sentence_case = first[1:].islower() and rest == rest.lower()
    return heading[:1].lower() + heading[1:] if is_sentence_case else heading
