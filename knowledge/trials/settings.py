"""One side of a trial, as it stands in the address of the page: `a_legs=words`, `b_weight=0.3`."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from knowledge.file_kinds import FILE_TYPES
from knowledge.models import EmbeddingVersion
from knowledge.retrieval.types import Filters
from knowledge.rows import LANGUAGES, TYPE_NAMES

SIDES = ("a", "b")
LIMITS = (5, 20, 50)  # beside the usual one
USUAL_LIMIT = 10
LEGS = {"": _("both, as usual"), "words": _("words alone"), "meaning": _("meaning alone"),
        "weight": _("both, by this weight")}  # fmt: skip
TICKS = ("rules", "rerank")
KINDS = {"code": _("Programs")} | {
    kind.kind: TYPE_NAMES[kind.media_type] for kind in FILE_TYPES if kind.media_type in TYPE_NAMES
}


@dataclass(frozen=True, slots=True)
class Setting:
    """How one side searches. `alpha` is the share of meaning, None what counts usually; `rules` are
    those by which questions are understood (parts, filters in words, glossaries); `reranks` puts
    what was found in a better order, as an answer with that switch would."""

    alpha: float | None = None
    limit: int = USUAL_LIMIT
    version: EmbeddingVersion | None = None
    rules: bool = False
    reranks: bool = False
    filters: Filters = Filters()  # noqa: RUF009 - a value that nobody changes


class SettingForm(forms.Form):
    """The fields of one side; what makes no sense is refused in words."""

    legs = forms.ChoiceField(label=_("Legs"), required=False, choices=[*LEGS.items()])
    weight = forms.FloatField(
        label=_("Weight of meaning"), required=False, min_value=0, max_value=1, initial=0.5,
        widget=forms.NumberInput(attrs={"step": "0.05", "min": "0", "max": "1"}),
    )  # fmt: skip
    limit = forms.TypedChoiceField(
        label=_("Passages"), required=False, coerce=int,
        choices=[("", str(USUAL_LIMIT)), *((n, str(n)) for n in LIMITS)],
    )  # fmt: skip
    version = forms.ModelChoiceField(
        label=_("Embedding version"), required=False, empty_label=_("the searched one"),
        queryset=EmbeddingVersion.objects.none(),
    )  # fmt: skip
    kind = forms.ChoiceField(label=_("Type of file"), required=False)
    language = forms.ChoiceField(label=_("Language"), required=False)
    since = forms.DateField(label=_("From"), required=False)
    until = forms.DateField(label=_("Until"), required=False)
    rules = forms.BooleanField(
        label=_("Parts, filters and the glossary's other words"), required=False
    )
    rerank = forms.BooleanField(label=_("Put in a better order: reranking"), required=False)

    def __init__(self, side: str, data: Any) -> None:
        super().__init__(data, prefix=side)
        states = (EmbeddingVersion.State.READY, EmbeddingVersion.State.RETIRED)
        self._field("version").queryset = EmbeddingVersion.objects.filter(state__in=states)
        self._field("kind").choices = [("", _("any")), *KINDS.items()]
        self._field("language").choices = [("", _("any")), *LANGUAGES.items()]
        for name, field in self.fields.items():
            is_date, is_tick = name in ("since", "until"), name in TICKS
            field.widget.attrs |= {"class": "switch" if is_tick else "input"}
            if is_date:
                field.widget.input_type = "date"

    def add_prefix(self, field_name: str) -> str:
        return f"{self.prefix}_{field_name}"

    def _field(self, name: str) -> Any:
        return self.fields[name]

    @property
    def has_versions(self) -> bool:
        return bool(self._field("version").queryset.exists())

    def to_setting(self) -> Setting:
        """Of valid fields."""
        given = self.cleaned_data
        weight = 0.5 if given["weight"] is None else given["weight"]
        alphas = {"words": 0.0, "meaning": 1.0, "weight": weight}
        return Setting(
            alpha=alphas.get(given["legs"]),
            limit=given["limit"] or USUAL_LIMIT,
            version=given["version"],
            rules=given["rules"],
            reranks=given["rerank"],
            filters=Filters(
                file_types=(given["kind"],) if given["kind"] else None,
                languages=(given["language"],) if given["language"] else None,
                from_=_midnight(given["since"]),
                until=_midnight(given["until"], days=1),
            ),
        )


def _midnight(day: date | None, days: int = 0) -> datetime | None:
    """`until` names a day that still counts."""
    return datetime.combine(day, time(), UTC) + timedelta(days=days) if day else None
