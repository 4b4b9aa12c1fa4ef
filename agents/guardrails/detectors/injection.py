"""Wordings that often stand in texts which want to be obeyed.

A list like this misses most attacks and finds innocent texts: it only ever advises. What keeps an
agent from doing what a text wants are `agents.authority`'s rules, which ask no text.
"""

import re
from collections.abc import Iterator

from agents.guardrails.types import Span

_WORDINGS = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b[^.\n]{0,30}"
    r"\b(?:previous|prior|above|earlier|all|your|any|the)\b"
    r"[^.\n]{0,20}\b(?:instructions?|prompts?|rules?|guidelines?|directions?|context)\b"
    r"|\b(?:reveal|print|repeat|show|output|leak)\b[^.\n]{0,30}"
    r"\b(?:system|hidden|initial|secret) (?:prompt|instructions?|message)\b"
    r"|\byou are (?:now|no longer)\b[^.\n]{0,40}"
    r"\b(?:dan|unrestricted|jailbroken|a different|developer mode|bound)\b"
    r"|\b(?:new|updated|real) (?:system )?instructions?\s*:"
    r"|<\|?(?:im_start|system|assistant)\|?>|\[/?INST\]"
    r"|\bdo not (?:tell|inform|mention|alert)\b[^.\n]{0,20}\b(?:the )?(?:user|person|human)\b"
    r"|(?:忽略|无视|無視|忘记|忘記|不要理会|不要理會|不用管)[^。\n]{0,12}(?:指令|指示|提示词|提示詞|规则|規則|要求|设定|設定|说明|說明)"
    r"|(?:输出|輸出|透露|泄露|洩露|显示|顯示|重复|重複|告诉我|告訴我)[^。\n]{0,12}(?:系统|系統|初始|隐藏|隱藏)[^。\n]{0,4}(?:提示|指令|设定|設定)"
    r"|(?:你现在是|你現在是|从现在起你|從現在起你)[^。\n]{0,20}(?:不受|没有限制|沒有限制|开发者模式|開發者模式|DAN)"
    r"|(?:不要|别|別)(?:告诉|告訴|让|讓)(?:用户|用戶|使用者)",
    re.IGNORECASE,
)


def injections(text: str, start: int = 0) -> Iterator[Span]:
    for found in _WORDINGS.finditer(text, start):
        yield Span(found.start(), found.end(), "injection")
