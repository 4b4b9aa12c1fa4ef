"""The answerer that needs no model: it quotes the sentences that answer, or says that none does.

It is a model like any other to its callers (same stream), calls nobody, and labels what it says.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from itertools import groupby

from gateway.embedding.local import local_embedder
from gateway.offline.quoting import Embed, Sentence, choose_sentences
from gateway.types import (
    OFFLINE,
    ChatRequest,
    Completed,
    PassageText,
    StreamItem,
    TextDelta,
    TokenUsage,
)
from gateway.wording import Script, script_of

# The text of an answer follows the language of its question, not that of the page.
_QUOTED = {
    Script.LATIN: "Quoted from your documents; no model is connected:",
    Script.SIMPLIFIED: "以下内容引自您的文档；尚未连接模型：",
    Script.TRADITIONAL: "以下內容引自您的文件；尚未連接模型：",
}
_QUOTED_INSTEAD = {
    Script.LATIN: "Quoted from your documents; the model could not be reached:",
    Script.SIMPLIFIED: "以下内容引自您的文档；模型暂时无法访问：",
    Script.TRADITIONAL: "以下內容引自您的文件；模型暫時無法連線：",
}
_NOTHING = {
    Script.LATIN: "Nothing in the documents you can see answers this question. "
    "Other words may help, or another collection.",
    Script.SIMPLIFIED: "在您可以查看的文档中，没有找到能回答这个问题的内容。"
    "可以换个说法，或选择其他知识库。",
    Script.TRADITIONAL: "在您可以查看的文件中，沒有找到能回答這個問題的內容。"
    "可以換個說法，或選擇其他知識庫。",
}
_BLIND = {
    Script.LATIN: "The attached image was not looked at: nobody sees it without a model that can.",
    Script.SIMPLIFIED: "所附图片未被查看：没有能识图的模型，就无法看到图片内容。",
    Script.TRADITIONAL: "所附圖片未被檢視：沒有能辨識圖片的模型，就無法看到圖片內容。",
}
_LINE_START = re.compile(r"^(?:#{1,6}\s+|>\s*|[-*+•·]\s+|\d{1,3}[.)]\s+)+")
_FOREIGN_MARK = re.compile(r"\s?[\[［【]\d[\d,，、\s]*[\]］】]")


async def stream_offline(
    request: ChatRequest, *, stands_in: bool = False, embed: Embed | None = None
) -> AsyncGenerator[StreamItem, None]:
    """Answer from `request.passages` alone; `stands_in` says that a connected model is down."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    embed = embed or local_embedder().embed
    chosen = await asyncio.to_thread(choose_sentences, request.question, request.passages, embed)
    first_token_ms = round((loop.time() - started) * 1000)
    asked = request.question or " ".join(sentence.text for sentence in chosen)  # its language
    for block in compose(asked, chosen, stands_in=stands_in):
        yield TextDelta(block)
    if request.image_count:
        yield TextDelta(f"\n\n{_BLIND[script_of(asked)]}")
    total_ms = round((loop.time() - started) * 1000)
    yield Completed("stop", TokenUsage(), OFFLINE, "", first_token_ms, total_ms)


def compose(question: str, chosen: Sequence[Sentence], *, stands_in: bool = False) -> list[str]:
    """Markdown in blocks: a line that says what this is, then one quotation for each passage."""
    script = script_of(question)
    if not chosen:
        return [_NOTHING[script]]
    frame = (_QUOTED_INSTEAD if stands_in else _QUOTED)[script]
    return [frame, *(_quotation(list(group)) for _, group in groupby(chosen, lambda s: s.n))]


def _quotation(sentences: list[Sentence]) -> str:
    """Neighbours run on; an ellipsis stands where sentences were left out."""
    parts: list[str] = []
    for before, sentence in zip([None, *sentences], sentences, strict=False):
        if before is not None:
            parts.append(" " if sentence.position == before.position + 1 else " … ")
        parts.append(f"{_readable(sentence.text)} [{sentence.n}]")
    return "\n\n> " + "".join(parts)


def _readable(text: str) -> str:
    """One line, without the signs of its own document that would act in ours."""
    return _FOREIGN_MARK.sub("", _LINE_START.sub("", " ".join(text.split())))


def answer(question: str, passages: Sequence[PassageText], embed: Embed | None = None) -> str:
    """The whole offline answer as one text, for callers that do not stream."""
    return "".join(compose(question, choose_sentences(question, passages, embed)))
