"""The chart of supported sentences: all answers, and the models that wrote most of them."""

from django.utils.translation import gettext as _

from agents.usage.charts import MOST_MODELS, Chart, Series
from chat.proof.rates import Proof, Rate


def chart_of(proof: Proof) -> Chart:
    days = proof.span.days
    largest = [part.key for part in proof.models if part.key][:MOST_MODELS]
    everything = Series(_("All answers"), [_percent(proof.by_day.get(day)) for day in days])
    models = [
        Series(name, [_percent(proof.models_by_day[name].get(day)) for day in days])
        for name in largest
    ]
    return Chart(
        "supported",
        _("Sentences with a source, in percent"),
        "percent",
        [day.isoformat() for day in days],
        [everything, *models] if len(models) > 1 else [everything],
        kind="lines",
    )


def _percent(rate: Rate | None) -> float | None:
    return rate.percent if rate else None
