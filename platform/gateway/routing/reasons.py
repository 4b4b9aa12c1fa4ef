"""Why an endpoint was asked, by the codes under which it is kept (`security.sentences`)."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from security.sentences import declare

declare(
    {
        "only_one": _("The only endpoint that may answer."),
        "all_pause": _("All endpoints pause; this one is back the soonest."),
        "first_well": _("First by priority of those that are well."),
        "by_priority": _("First by priority."),
        "by_weight": _("Drawn by weight: {weight} of {total}."),
        "least_busy": _("The least busy: {count} requests at work."),
        "unmeasured": _("Its speed is not known yet, so it is tried."),
        "fastest": _("The faster of two: first word after {ms} ms."),
        "fastest_by": _("The faster of two: first word after {ms} ms, {speed} tokens a second."),
        "no_price": _("No price is known, or the cheaper ones are too short for this request."),
        "cheapest": _("The cheapest that fits: about {cost} for this request."),
        "asked_again": _("Asked once more: {reason}"),
        "instead_of": _("Instead of {endpoint}: {reason}"),
        "vectors": ngettext_lazy("Vectors of {n} text.", "Vectors of {n} texts.", "n"),
        "moderates": ngettext_lazy("Moderation of {n} text.", "Moderation of {n} texts.", "n"),
        "scores": ngettext_lazy("Scores of {n} document.", "Scores of {n} documents.", "n"),
    }
)
