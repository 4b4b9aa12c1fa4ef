"""A rule of the installation as a form: one field for each thing that some kind of rule says."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError

from agents.guardrails.forms import OPTIONS, choices
from agents.guardrails.models import InstalledGuardrail
from agents.guardrails.rules import ADAPTER, DATA, stored
from agents.guardrails.types import Action, Kind, OnFailure

LISTED = ("allowed", "examples", "categories")  # one on a line
OF_THE_ROW = ("name", "position", "is_enabled")  # the rest is what its rule says
_CHOICES = choices


def problem_of(error: Any) -> tuple[str, str]:
    """The field that a refusal is about, if any, and what is wrong."""
    names = [part for part in error["loc"] if isinstance(part, str) and part not in set(Kind)]
    text = str(error.get("ctx", {}).get("error") or error["msg"])
    return (names[0] if names else ""), text


class GuardrailForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    kind = forms.ChoiceField(
        label=_("kind"), help_text=_("Rules look at words. Pictures are not looked at.")
    )
    places = forms.MultipleChoiceField(label=_("where"), widget=forms.CheckboxSelectMultiple)
    action = forms.ChoiceField(
        label=_("what is done"), help_text=_("Only about calls of tools somebody can be asked.")
    )
    on_failure = forms.ChoiceField(label=_("where it cannot be checked"))
    reason = forms.CharField(
        label=_("reason"), max_length=300, required=False,
        help_text=_("Is shown to whoever the rule stops."),
    )  # fmt: skip
    data = forms.MultipleChoiceField(  # type: ignore[assignment]  # a field; Form.data stays
        label=_("which data"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("Names of people and addresses of houses are not found."),
    )  # fmt: skip
    pattern = forms.CharField(label=_("pattern"), required=False, max_length=500, strip=False)
    ignores_case = forms.BooleanField(label=_("upper and lower case alike"), required=False)
    allowed = forms.CharField(
        label=_("allowed domains"), required=False, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("One on a line; what lies below one is allowed with it."),
    )  # fmt: skip
    most = forms.IntegerField(label=_("characters at most"), required=False, min_value=1)
    languages = forms.MultipleChoiceField(
        label=_("allowed languages"), required=False, widget=forms.CheckboxSelectMultiple
    )
    mode = forms.ChoiceField(
        label=_("the topic"), required=False,
        choices=[("only", _("only texts like these")), ("never", _("never texts like these"))],
    )  # fmt: skip
    examples = forms.CharField(
        label=_("examples"), required=False, widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("Sentences about the topic, one on a line."),
    )  # fmt: skip
    threshold = forms.FloatField(
        label=_("nearness"), required=False, min_value=0.05, max_value=0.95,
        help_text=_("From 0.05 to 0.95; usually 0.35."),
    )  # fmt: skip
    model = forms.CharField(
        label=_("model"), required=False, max_length=120, help_text=_("Empty: the default model.")
    )
    categories = forms.CharField(
        label=_("categories"), required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("As the endpoint calls them, one on a line; empty: all that it flags."),
    )  # fmt: skip
    criterion = forms.CharField(
        label=_("when a text breaks the rule"), required=False, max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("In words for the model that judges."),
    )  # fmt: skip

    class Meta:
        model = InstalledGuardrail
        fields = OF_THE_ROW

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, found in _CHOICES().items():
            self.fields[name].choices = found  # type: ignore[attr-defined]  # a ChoiceField
        rule: dict[str, Any] = self.instance.rule or {
            "data": list(DATA),
            "action": Action.BLOCK.value,
            "on_failure": OnFailure.CLOSED.value,
        }
        for name in self.fields:
            if name in rule and name not in OF_THE_ROW:
                value = rule[name]
                self.initial.setdefault(name, "\n".join(value) if name in LISTED else value)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        try:
            self.instance.rule = stored(ADAPTER.validate_python(self._said(given)))
        except ValidationError as refusal:
            for error in refusal.errors():
                field, text = problem_of(error)
                self.add_error(field if field in self.fields else None, text)
        return given

    def _said(self, given: dict[str, Any]) -> dict[str, Any]:
        """What a rule of this kind says; nothing that is empty."""
        kind = given.get("kind", "")
        said = {name: given.get(name) for name in ("name", "kind", "places", "action")}
        said |= {"on_failure": given.get("on_failure"), "reason": given.get("reason", "")}
        for name in OPTIONS.get(kind, ()):
            value = given.get(name)
            if name in LISTED:
                value = [line.strip() for line in (value or "").splitlines() if line.strip()]
            if value not in (None, "", []):
                said[name] = value
        return said


class TextForm(forms.Form):
    text = forms.CharField(
        label=_("A text"), max_length=20_000, widget=forms.Textarea(attrs={"rows": 6})
    )
