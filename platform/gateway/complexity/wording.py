"""Features and decisions in words."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from gateway.complexity.features import FLAGS
from gateway.complexity.score import Share
from security.sentences import Sentence, declare

# What is told of a question that has it.
LABELS = {
    "code": gettext_lazy("contains code"),
    "table": gettext_lazy("contains a table"),
    "math": gettext_lazy("mathematics"),
    "lookup": gettext_lazy("asks for a fact"),
    "comparison": gettext_lazy("comparison question"),
    "reasoning": gettext_lazy("asks for reasons or a plan"),
    "writing": gettext_lazy("a text to write"),
    "chinese": gettext_lazy("in Chinese"),
    "other_language": gettext_lazy("in another script"),
    "tokens": gettext_lazy("length, tokens"),
    "questions": gettext_lazy("question marks"),
    "constraints": gettext_lazy("constraints"),
    "steps": gettext_lazy("parts of a list"),
    "passages": gettext_lazy("passages"),
    "images": gettext_lazy("images"),
    "history": gettext_lazy("earlier messages"),
    "tools": gettext_lazy("tools"),
    "effort": gettext_lazy("wanted reasoning"),
    "context": gettext_lazy("whole prompt, tokens"),
}
TIER_NAMES = {
    "simple": gettext_lazy("simple"),
    "medium": gettext_lazy("medium"),
    "hard": gettext_lazy("hard"),
}
VOTERS = {
    "rule": gettext_lazy("rule"),
    "correction": gettext_lazy("correction"),
    "score": gettext_lazy("score"),
    "judge": gettext_lazy("judge"),
}
_COUNTED = {
    "tokens": ngettext_lazy("{n} token long", "{n} tokens long", "n"),
    "questions": ngettext_lazy("{n} question mark", "{n} question marks", "n"),
    "constraints": ngettext_lazy("{n} constraint", "{n} constraints", "n"),
    "steps": ngettext_lazy("{n} part", "{n} parts", "n"),
    "passages": ngettext_lazy("{n} passage", "{n} passages", "n"),
    "images": ngettext_lazy("{n} image", "{n} images", "n"),
    "history": ngettext_lazy("{n} earlier message", "{n} earlier messages", "n"),
    "tools": ngettext_lazy("{n} tool", "{n} tools", "n"),
    "context": ngettext_lazy("{n} token in all", "{n} tokens in all", "n"),
}


declare({f"tier_{tier}": name for tier, name in TIER_NAMES.items()})
declare({f"seen_{name}": LABELS[name] for name in FLAGS})
declare({f"seen_{name}": text for name, text in _COUNTED.items()})
declare(
    {
        "seen_effort": gettext_lazy("reasoning wanted"),
        "seen_nothing": gettext_lazy("nothing special"),
        "chosen_by_rule": gettext_lazy("{tier} by a rule: {features} → {model}"),
        "chosen_by_correction": gettext_lazy("{tier} as corrected: {features} → {model}"),
        "chosen_by_judge": gettext_lazy("{tier} by the judge: {features} → {model}"),
        "chosen_by_score": gettext_lazy("{tier}: {features} → {model}"),
    }
)


def seen(name: str, value: float) -> Sentence:
    """As one says it: “2 passages”, “contains code”."""
    counted = {"n": round(value)} if name in _COUNTED else {}
    return Sentence(f"seen_{name}", **counted)


def strongest(shares: Sequence[Share], most: int = 2) -> list[Sentence]:
    found = [seen(share.name, share.value) for share in shares[:most]]
    return found or [Sentence("seen_nothing")]


def condition_words(name: str, sign: str, value: float) -> str:
    label = str(LABELS[name])
    if name == "tokens" and sign == ">":
        return _("longer than %(n)s tokens") % {"n": f"{value:g}"}
    if name == "tokens" and sign == ">=":
        return _("at least %(n)s tokens long") % {"n": f"{value:g}"}
    if (sign, value) == (">", 0.0):
        return label
    if (sign, value) == ("=", 0.0):
        return _("not: %(feature)s") % {"feature": label}
    shown = {">=": "≥", "<=": "≤"}.get(sign, sign)
    return f"{label} {shown} {value:g}"


def tier_name(tier: str) -> str:
    return str(TIER_NAMES.get(tier, tier))
