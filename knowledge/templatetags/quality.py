"""How figures of golden questions are written."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from knowledge.models import QualityResult, QualityRun, QualityTuning
from knowledge.quality.comparing import Change
from knowledge.quality.running import changes_of

register = template.Library()
HIGH = 3  # a rank that is right


@register.filter
def percent_or_dash(value: Any) -> str:
    """A share as a percentage that is not broken at its sign; a dash where there is none."""
    if not isinstance(value, int | float):
        return "–"
    return f"{number_format(100 * value, 0 if value in {0, 1} else 1)}\N{NO-BREAK SPACE}%"


@register.filter
def points(value: float) -> str:
    """A difference of shares, with its sign, in points of a hundred."""
    rounded = round(100 * value, 1)
    return ("+" if rounded > 0 else "−" if rounded < 0 else "±") + number_format(abs(rounded), 1)


@register.filter
def as_change(data: Mapping[str, Any]) -> Change:
    return Change.parse(data)


@register.filter
def proposes_change(tuning: QualityTuning) -> bool:
    """Whether anything would be searched otherwise."""
    told, figures = tuning.proposed, tuning.figures
    scripts = figures.get("scripts", {}).values()
    return (told["k1"], told["b"]) != (figures["k1"], figures["b"]) or any(
        one["dense"] != one["was"] or "reranked" in one or one.get("threshold") is not None
        for one in scripts
    )


@register.filter
def any_loss(changes: Mapping[str, Change]) -> bool:
    return any(change.loses for change in changes.values())


@register.filter
def loses(run: QualityRun) -> bool:
    return any_loss(changes_of(run))


@register.filter
def found_at(result: QualityResult) -> str:
    """In a few words what a question found."""
    if result.is_quiet is not None:
        return _("nothing found") if result.is_quiet else _("something found")
    return _("rank %d") % result.rank if result.rank else _("not found")


@register.filter
def is_right(result: QualityResult) -> bool:
    if result.is_quiet is not None:
        return bool(result.is_quiet)
    return result.rank is not None and result.rank <= HIGH
