"""Labels say where an endpoint is and what it may see; what demands one never leaves those with it.

Agents, teams and collections demand labels. A question's demands are all of theirs together.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from gateway.errors import GatewayError
from gateway.types import Route
from security.sentences import Sentence

MOST_LABELS = 20
LABEL = r"^[a-z0-9][a-z0-9_.-]{0,39}$"


@dataclass(frozen=True, slots=True)
class Demand:
    """That whatever answers has this label; `kind` (agent, team, collection or earlier) and `name`
    say who wants it."""

    label: str
    kind: str
    name: str = ""

    @property
    def by(self) -> Sentence:
        return Sentence(f"by_{self.kind}", name=self.name)


class LabelUnmet(GatewayError):
    """Nothing that could answer has what is demanded; nothing was sent to anybody."""

    type = "label_unmet"
    title = _("Nothing that is connected may be asked this.")
    may_switch = False
    is_outage = False


def labels_of(demands: Iterable[Demand]) -> frozenset[str]:
    return frozenset(demand.label for demand in demands)


def require_labels(routes: Sequence[Route], demands: Sequence[Demand]) -> None:
    """Raise LabelUnmet, which names label and demander, unless one of these routes has them all.

    Without routes nobody is asked and nothing leaves: that is fine.
    """
    labels = labels_of(demands)
    if not routes or any(labels <= route.labels for route in routes):
        return
    most = max((route.labels for route in routes), key=lambda has: len(has & labels))
    named = [
        Sentence(
            "label_by", label=label, by=[*dict.fromkeys(d.by for d in demands if d.label == label)]
        )
        for label in sorted(labels - most)
    ]
    raise LabelUnmet(Sentence("labels_lacking", labels=named))


def clean_labels(value: Any) -> list[str]:
    """Labels in the one form they are compared in, from a list or a line with commas.

    Raises ValidationError for what is no label.
    """
    parts = re.split(r"[,;，、\s]+", value) if isinstance(value, str) else value
    if not isinstance(parts, list | tuple | set | frozenset):
        raise ValidationError(_("Labels, separated by commas."))
    labels = sorted({str(part).strip().lower() for part in parts} - {""})
    for label in labels:
        if not re.fullmatch(LABEL, label):
            raise ValidationError(
                _("“%(label)s” is no label: use letters, digits, and - _ . between them."),
                params={"label": label},
            )
    if len(labels) > MOST_LABELS:
        raise ValidationError(_("At most %(n)s labels."), params={"n": MOST_LABELS})
    return labels


def validate_labels(value: Any) -> None:
    """For a model field: a list that `clean_labels` leaves as it is."""
    if not isinstance(value, list) or clean_labels(value) != sorted(value):
        raise ValidationError(_("Labels, separated by commas."))
