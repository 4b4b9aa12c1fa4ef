"""Estimates in words."""

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from knowledge.embeddings.estimates import Estimate

HOUR = 3_600


def cost_of(found: Estimate) -> str:
    if found.cost is None:
        return _("unknown: the endpoint has no price")
    if not found.cost:
        return _("nothing")
    cents = "0.01"
    if found.cost < 1 / 100:
        return _("less than %(amount)s") % {"amount": f"{cents} {found.currency}".strip()}
    return f"{number_format(found.cost, 2, use_l10n=True)} {found.currency}".strip()


def time_of(found: Estimate) -> str:
    if not found.passages:
        return _("a moment")
    if found.seconds is None:
        return _("unknown until the model is measured")
    if found.seconds < 60:
        return _("less than a minute")
    if found.seconds < 2 * HOUR:
        minutes = round(found.seconds / 60)
        return ngettext("about %d minute", "about %d minutes", minutes) % (minutes,)
    hours = round(found.seconds / HOUR)
    return ngettext("about %d hour", "about %d hours", hours) % (hours,)
