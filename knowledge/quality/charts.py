"""The trend of a collection's figures, for static/js/charts.js: the last run of each day."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from knowledge.models import QualityRun

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Series:
    label: str
    values: Values


@dataclass(frozen=True, slots=True)
class Trend:
    """Lines of percent over the days on which something was asked."""

    days: list[str]
    series: list[Series]
    name: str = "quality"
    title: str = ""
    kind: str = "lines"
    unit: str = "percent"
    currency: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.days

    @property
    def data(self) -> dict[str, Any]:
        """For the script that draws it."""
        return asdict(self)

    @property
    def rows(self) -> Iterable[tuple[date, list[float | None]]]:
        """For those who read the figures instead, newest day first."""
        days = [date.fromisoformat(day) for day in self.days]
        rows = [[series.values[n] for series in self.series] for n in range(len(days))]
        return [*zip(days, rows, strict=True)][::-1]


def trend_of(runs: Iterable[QualityRun]) -> Trend:
    """Of runs that are done, newest first."""
    by_day: dict[str, QualityRun] = {}
    for run in runs:
        if run.state == QualityRun.State.DONE:
            by_day.setdefault(timezone.localtime(run.created_at).date().isoformat(), run)
    days = sorted(by_day)
    lines = {
        "ndcg": _("Right passages high up (nDCG@10)"),
        "hit_10": _("Among the first ten (hit@10)"),
        "quiet": _("Nothing found where nothing is"),
        "supported": _("Supported sentences"),
    }
    series = [
        Series(label, [_percent(by_day[day], name) for day in days])
        for name, label in lines.items()
        if any(run.figures.get(name) is not None for run in by_day.values())
    ]
    return Trend(days, series, title=_("Trend"))


def _percent(run: QualityRun, name: str) -> float | None:
    value = run.figures.get(name)
    return None if value is None else round(100 * value, 1)
