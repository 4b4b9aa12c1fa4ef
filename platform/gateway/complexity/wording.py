"""Features and decisions in words."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from gateway.complexity.features import FLAGS
from gateway.complexity.score import Share

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
    "tokens": ngettext_lazy("%(n)s token long", "%(n)s tokens long", "n"),
    "questions": ngettext_lazy("%(n)s question mark", "%(n)s question marks", "n"),
    "constraints": ngettext_lazy("%(n)s constraint", "%(n)s constraints", "n"),
    "steps": ngettext_lazy("%(n)s part", "%(n)s parts", "n"),
    "passages": ngettext_lazy("%(n)s passage", "%(n)s passages", "n"),
    "images": ngettext_lazy("%(n)s image", "%(n)s images", "n"),
    "history": ngettext_lazy("%(n)s earlier message", "%(n)s earlier messages", "n"),
    "tools": ngettext_lazy("%(n)s tool", "%(n)s tools", "n"),
    "context": ngettext_lazy("%(n)s token in all", "%(n)s tokens in all", "n"),
}


def seen(name: str, value: float) -> str:
    """As one says it: “2 passages”, “contains code”."""
    if name in FLAGS:
        return str(LABELS[name])
    if name not in _COUNTED:
        return _("reasoning wanted")
    return str(_COUNTED[name] % {"n": round(value)})


def strongest(shares: Sequence[Share], most: int = 2) -> str:
    told = [seen(share.name, share.value) for share in shares[:most]]
    return _(", ").join(told) or _("nothing special")


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
