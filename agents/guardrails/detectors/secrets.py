"""Keys, tokens and passwords: by their known beginnings, and by words that say what follows."""

import base64
import binascii
import math
import re
from collections import Counter
from collections.abc import Iterator

from agents.guardrails.types import Span

LEAST_ENTROPY = 2.6  # bits a character, of what is said to be a password
LEAST_TOKEN = 3.0  # of what only begins like a key

_TOKENS = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"(?P<aws>(?:AKIA|ASIA)[A-Z0-9]{16})"
    r"|(?P<github>gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{22,255})"
    r"|(?P<openai>sk-[A-Za-z0-9_-]{20,200})"
    r"|(?P<slack>xox[abeoprs]-[A-Za-z0-9-]{10,250})"
    r"|(?P<stripe>[rs]k_(?:live|test)_[A-Za-z0-9]{16,120})"
    r"|(?P<google>AIza[A-Za-z0-9_-]{35})"
    r"|(?P<gitlab>gl(?:pat|dt|rt)-[A-Za-z0-9_-]{20,60})"
    r"|(?P<npm>npm_[A-Za-z0-9]{36})"
    r"|(?P<hugging>hf_[A-Za-z0-9]{30,60})"
    r"|(?P<sendgrid>SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64})"
    r"|(?P<parley>par_[a-z2-7]{8}_[a-z2-7]{32})"
    r")(?![A-Za-z0-9_])"
)
_JWT = re.compile(
    r"(?<![\w-])eyJ[\w-]{8,2000}+(?:"
    r"\.eyJ[\w-]{8,8000}+\.[\w-]{8,2000}+(?![\w-])"
    r"|(?:\.(?:ey?|eyJ[\w-]{0,8000}+(?:\.[\w-]{0,7})?)?)?\Z)",  # its end is still to come
    re.ASCII,
)
_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:[\s\S]*?-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|[\s\S]*\Z)"
)
_PASSWORD = re.compile(
    r"(?:(?<![A-Za-z])(?:password|passwd|passphrase|pwd|secret(?:[ _-]?key)?|api[ _-]?key"
    r"|(?:access|auth)[ _-]?token)"
    r"|密码|密碼|口令|密钥|密鑰|金鑰)[\"']?\s{0,3}(?:(?:is|是|为|為|->)\s{0,2}[:：]?|:=|[=:：＝])\s{0,3}"
    r"(?P<value>[\"'“「]?[!#-&*-+\--:=-Z\\^-z|~/.?@]{6,128})",
    re.IGNORECASE,
)
_IN_URL = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/@:]{1,80}:(?P<value>[^\s/@]{3,128})@")
_NO_VALUE = re.compile(
    r"^[\"'“「]?(?:\*+|x{3,}|\.{3,}|\$\w+|%\w+%|your\w*|example\w*|changeme|none|null|true|false"
    r"|required|optional|string|hidden|redacted|placeholder|os\.environ\S*|env\S*|settings\S*"
    r"|process\.env\S*|getpass\S*)",
    re.IGNORECASE,
)


def secrets(text: str, start: int = 0) -> Iterator[Span]:
    if "-----BEGIN" in text:
        for found in _PEM.finditer(text, start):
            yield Span(found.start(), found.end(), "secret")
    if "eyJ" in text:
        for found in _JWT.finditer(text, start):
            if _is_jwt(found[0]):
                yield Span(found.start(), found.end(), "secret")
    for found in _TOKENS.finditer(text, start):
        if _is_random(found[0]):
            yield Span(found.start(), found.end(), "secret")
    for pattern in (_PASSWORD, _IN_URL) if "://" in text else (_PASSWORD,):
        for found in pattern.finditer(text, start):
            value = found["value"].rstrip(".,:!?")
            if _is_password(value):
                at = found.start("value")
                yield Span(at, at + len(value), "secret", at - found.start())


def entropy(text: str) -> float:
    """Of Shannon, in bits a character."""
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts) if text else 0.0


def _is_random(token: str) -> bool:
    """Not an example of somebody's documentation, and no words with hyphens between."""
    body = re.split(r"[-_.]", token, maxsplit=1)[-1]
    has_both = any(map(str.isdigit, body)) and any(map(str.isalpha, body))
    return "EXAMPLE" not in token.upper() and has_both and entropy(body) >= LEAST_TOKEN


def _is_password(value: str) -> bool:
    bare = value.strip("\"'“”「」")
    if len(bare) < 6 or not bare.isascii() or _NO_VALUE.match(value):
        return False
    is_mixed = any(map(str.isdigit, bare)) or not bare.replace("-", "").replace("_", "").isalpha()
    return is_mixed and entropy(bare) >= LEAST_ENTROPY


def _is_jwt(token: str) -> bool:
    """Of one that has only begun as well."""
    head = token.partition(".")[0]
    try:
        return b'"alg"' in base64.urlsafe_b64decode(head[: len(head) // 4 * 4])
    except (ValueError, binascii.Error):
        return False
