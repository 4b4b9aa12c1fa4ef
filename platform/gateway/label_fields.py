"""Labels in models and forms: a line with commas for people, a sorted list inside."""

from typing import Any

from django import forms
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from gateway.labels import clean_labels, validate_labels

HELP = _("Separated by commas, as in “eu, confidential”. Only endpoints that have them all answer.")


class LabelsInput(forms.CharField):
    """One line; what is typed in capitals or with spaces is put right, what is no label is said."""

    def __init__(self, **options: Any) -> None:
        defaults = {"required": False, "max_length": 800}
        super().__init__(**(defaults | options))

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> Any:
        return clean_labels(super().clean(value) or "")

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(super().has_changed(self.prepare_value(initial or ""), data))


class LabelsField(ArrayField):  # type: ignore[type-arg]
    """The labels that something demands of whatever answers it."""

    def __init__(self, verbose_name: Any = None, base_field: Any = None, **options: Any) -> None:
        defaults: dict[str, Any] = {
            "verbose_name": verbose_name,
            "default": list,
            "db_default": [],
            "blank": True,
            "validators": [validate_labels],
            "help_text": HELP,
        }
        super().__init__(base_field or models.CharField(max_length=40), **(defaults | options))

    def deconstruct(self) -> Any:
        name, _path, args, options = super().deconstruct()
        return name, "django.contrib.postgres.fields.ArrayField", args, options

    def formfield(self, **options: Any) -> Any:
        return LabelsInput(label=capfirst(self.verbose_name), help_text=self.help_text)
