"""The switches of understanding in models and forms: for each one yes, no, or as usual."""

from typing import Any

from django import forms
from django.db import models
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from knowledge.switches import BY_MODEL, USUAL, Switch, validate_switches

HELP = _("As usual: nothing is said here. A no of the agent or of a collection counts most.")
LABELS = {
    Switch.FOLLOW_UPS: _("Follow-up questions bring along what they point back to"),
    Switch.GLOSSARY: _("The other words of the collections' glossaries"),
    Switch.PARTS: _("Questions that ask several things are also searched part by part"),
    Switch.FILTERS: _("Words such as “PDFs from last month” narrow the search"),
    Switch.STANDALONE: _("A follow-up written out as a whole question"),
    Switch.REWRITES: _("The question in other words, three times at most"),
    Switch.HYPOTHETICAL: _("A passage that could be the answer (HyDE)"),
    Switch.SUB_QUESTIONS: _("The questions that have to be answered first"),
    Switch.STEP_BACK: _("The more general question behind it"),
    Switch.TRANSLATION: _("The question in Chinese, or in English"),
    Switch.RERANK: _("What was found is put in a better order: reranking"),
}
CHOICES = [("", _("as usual")), ("on", _("on")), ("off", _("off"))]


def described() -> list[tuple[Switch, Any, bool, bool]]:
    """Every switch with what it does, whether a model is asked for it, and whether it is usual."""
    return [(one, LABELS[one], one in BY_MODEL, one in USUAL) for one in Switch]


class SwitchesWidget(forms.MultiWidget):
    """A choice of three beside what each switch does."""

    def __init__(self, attrs: Any = None) -> None:
        self.choice = forms.Select(choices=CHOICES)
        super().__init__({switch.value: self.choice for switch in Switch}, attrs)

    def decompress(self, value: Any) -> list[str]:
        said = value or {}
        return [("on" if said[one] else "off") if one in said else "" for one in Switch]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """By a template of ours: Django's own renderer does not look where those are."""
        values = value if isinstance(value, list) else self.decompress(value)
        by_rules: list[dict[str, Any]] = []
        by_model: list[dict[str, Any]] = []
        for n, (switch, label, is_by_model, is_usual) in enumerate(described()):
            one = f"id_{name}_{switch}"
            choice = self.choice.render(
                f"{name}_{switch}", values[n], {"id": one, "class": "input"}, renderer
            )
            row = {"id": one, "label": label, "is_usual": is_usual, "choice": choice}
            (by_model if is_by_model else by_rules).append(row)
        context = {"by_rules": by_rules, "by_model": by_model}
        return render_to_string("knowledge/_switches.html", context)


class SwitchesInput(forms.MultiValueField):
    """What is said of each switch; what is left as usual is not said."""

    widget = SwitchesWidget

    def __init__(self, **options: Any) -> None:
        fields = tuple(forms.ChoiceField(choices=CHOICES, required=False) for _switch in Switch)
        super().__init__(fields=fields, **({"required": False} | options))

    def compress(self, data_list: Any) -> dict[str, bool]:
        said = zip(Switch, data_list or [], strict=False)
        return {switch.value: answer == "on" for switch, answer in said if answer}


class SwitchesField(models.JSONField):
    """What an agent or a collection says of each switch, by its name."""

    def __init__(self, verbose_name: Any = None, **options: Any) -> None:
        defaults: dict[str, Any] = {
            "default": dict,
            "db_default": {},
            "blank": True,
            "validators": [validate_switches],
            "help_text": HELP,
        }
        super().__init__(verbose_name, **(defaults | options))

    def deconstruct(self) -> Any:
        name, _path, args, options = super().deconstruct()
        return name, "django.db.models.JSONField", args, options

    def formfield(self, **options: Any) -> Any:
        return SwitchesInput(label=capfirst(self.verbose_name), help_text=self.help_text)
