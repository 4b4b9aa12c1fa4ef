"""What can be seen of a question without understanding it: lengths, counts, kinds of words. Pure.

Tens of microseconds for a usual question, English or Chinese. No word of it is kept.
"""

import re
from collections.abc import Mapping

from gateway.routing.needs import Needs, estimate_tokens
from gateway.types import ChatRequest, PromptMessage, RawMessage

READ = 4000  # characters that are looked at for words; all are counted

Features = dict[str, float]

# In the order in which they are shown. A flag is 0 or 1, everything else a count.
FLAGS = ("code", "table", "math", "lookup", "comparison", "reasoning", "writing", "chinese",
    "other_language")  # fmt: skip
COUNTS = ("tokens", "questions", "constraints", "steps", "passages", "images", "history", "tools",
    "effort", "context")  # fmt: skip
NAMES = (*FLAGS, *COUNTS)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LOOKUP = _words("what who whom whose when where which define")
_KINDS = {
    "comparison": _words(
        "compare compared comparison contrast versus vs differ differs difference differences "
        "different better worse tradeoff tradeoffs trade-off trade-offs"
    ),
    "reasoning": _words(
        "why how explain analyse analyze evaluate assess justify infer reason design plan strategy "
        "optimise optimize debug diagnose refactor architect"
    ),
    "math": _words(
        "prove proof derive derivative integral equation theorem lemma probability matrix "
        "eigenvalue polynomial solve calculate compute"
    ),
    "writing": _words(
        "write draft rewrite essay report article email letter story summarise summarize summary "
        "translate"
    ),
}
_CONSTRAINTS = _words(
    "must exactly only without except unless never always least most cannot should"
)


def _any_of(words: str) -> re.Pattern[str]:
    return re.compile("|".join(words.split()))


_CHINESE_KINDS = {
    "comparison": _any_of(
        "比较 比較 对比 對比 区别 區別 差异 差異 不同 优缺 優缺 哪个更 哪個更 相比"
    ),
    "reasoning": _any_of(
        "为什么 為什麼 为何 為何 如何 怎么 怎麼 怎样 怎樣 解释 解釋 分析 评估 評估 设计 設計 "
        "规划 規劃 优化 最佳化 推理 调试 除錯"
    ),
    "math": _any_of(
        "证明 證明 推导 推導 求解 积分 積分 导数 導數 方程 概率 機率 矩阵 矩陣 计算 計算"
    ),
    "writing": _any_of("写一 寫一 撰写 撰寫 起草 总结 總結 摘要 翻译 翻譯 改写 改寫 润色 潤色"),
    "lookup": _any_of(
        "是什么 是什麼 什么是 什麼是 谁 誰 哪里 哪裡 哪儿 何时 何時 什么时候 什麼時候 多少 "
        "几个 幾個 哪个 哪個 哪些"
    ),
}
_CHINESE_CONSTRAINTS = _any_of("必须 必須 不得 不能 不要 至少 至多 最多 只能 仅 僅 除非 除了")
_CODE = re.compile(
    r"```|[{};]\s*$|=>|\)\s*[;{]|\w\(\)|(?:Error|Exception)\b[:(\s]"
    r"|^\s*(?:def \w|class \w+[:({]|import [\w.]+\s*$|from [\w.]+ import |function \w*\("
    r"|const \w+ =|let \w+ =|var \w+ =|public (?:static|class|void)|#include\b)"
    r"|\b(?:SELECT\b.{1,80}\bFROM|select\b.{1,80}\bfrom\b.{1,80}\bwhere|Traceback"
    r"|[Ss]tack ?trace)\b",
    re.MULTILINE,
)
_TABLE = re.compile(r"^\s*\|.+\|.+\||^[^\t\n]+\t[^\t\n]+\t|^(?:[^,\n]{1,40},){3,}", re.MULTILINE)
_SYMBOLS = re.compile(r"[∑∫√≤≥≠∞∂∇∈∀∃]|\\(?:frac|sum|int|sqrt)|\d\s*[\^*/=]\s*[\dxyn(]")
_STEPS = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)、]|[一二三四五六七八九十]、)\s*\S", re.MULTILINE)
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_OTHER = re.compile(
    "[\u0370-\u03ff\u0400-\u04ff\u0590-\u06ff\u0900-\u0dff\u0e00-\u0e7f\u3040-\u30ff\uac00-\ud7af]"
)
_WORD = re.compile(r"[a-z][a-z-]*")
_EFFORT = {"low": 0.0, "medium": 1.0, "high": 2.0, "xhigh": 3.0, "max": 3.0}


def question_of(request: ChatRequest) -> str:
    """What the person asked; of a request in the protocol, the last thing that a person said."""
    if request.question:
        return request.question
    for message in reversed(request.messages):
        if _role(message) == "user":
            return _text(message)
    return ""


def features_of(request: ChatRequest, question: str, needs: Needs) -> Features:
    """Of the question, and of all that goes with it."""
    said = sum(_role(message) in ("user", "assistant") for message in request.messages)
    return features_of_text(question) | {
        "passages": float(len(request.passages)),
        "images": float(request.image_count),
        "history": float(max(0, said - 1)),
        "tools": float(len(request.tools)),
        "effort": _EFFORT.get(request.controls.reasoning_effort, 0.0),
        "context": float(needs.prompt_tokens),
    }


def features_of_text(question: str) -> Features:
    """Of a question by itself: nothing goes with it."""
    found: Features = dict.fromkeys(NAMES, 0.0)
    found["tokens"] = found["context"] = float(estimate_tokens(question))
    found["questions"] = float(question.count("?") + question.count("？"))
    read = question[:READ]
    words = _WORD.findall(read.lower())
    kinds = set(words)
    for name, known in _KINDS.items():
        found[name] = float(not known.isdisjoint(kinds))
    found["lookup"] = float(not _LOOKUP.isdisjoint(words[:4]))
    found["constraints"] = float(sum(word in _CONSTRAINTS for word in words))
    found["steps"] = float(len(_STEPS.findall(read)))
    found["code"] = float(bool(_CODE.search(read)))
    found["table"] = float(bool(_TABLE.search(read)))
    found["math"] = max(found["math"], float(bool(_SYMBOLS.search(read))))
    if not read.isascii():
        _add_scripts(found, read)
    return found


def _add_scripts(found: Features, text: str) -> None:
    """What only texts with other letters have."""
    letters = max(1, sum(map(str.isalpha, text)))
    found["chinese"] = float(len(_HAN.findall(text)) / letters > 0.3)
    found["other_language"] = float(len(_OTHER.findall(text)) / letters > 0.3)
    if _HAN.search(text):
        for name, pattern in _CHINESE_KINDS.items():
            found[name] = max(found[name], float(bool(pattern.search(text))))
        found["constraints"] += len(_CHINESE_CONSTRAINTS.findall(text))


def complete(features: Mapping[str, float]) -> Features:
    """Features as they were stored, those that came later as 0."""
    return {name: float(features.get(name, 0.0)) for name in NAMES}


def _role(message: PromptMessage | RawMessage) -> str:
    return message.role if isinstance(message, PromptMessage) else str(message.get("role", ""))


def _text(message: PromptMessage | RawMessage) -> str:
    if isinstance(message, PromptMessage):
        return message.content
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = (part.get("text") for part in parts if isinstance(part, dict))
    return "\n".join(text for text in texts if isinstance(text, str))
