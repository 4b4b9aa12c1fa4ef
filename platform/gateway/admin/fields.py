"""Form fields of the gateway's pages: what JSON is inside, and nobody has to write as JSON."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from gateway.admin.live import NAMES
from gateway.controls import Capability

FOUND, YES, NO = "", "yes", "no"
_VALUES = {YES: True, NO: False}
_SHOWN: dict[Any, str] = {True: YES, False: NO}


class CapabilitiesInput(forms.Widget):
    """For each capability: as the test found it, yes, or no."""

    template_name = "admin/gateway/capabilities.html"
    probed: Mapping[str, Any] = {}

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        chosen = value or {}
        context["rows"] = [
            {
                "id": f"id_{name}_{capability.value}",
                "name": f"{name}_{capability.value}",
                "label": label,
                "found": self.probed.get(capability.value),
                "chosen": _SHOWN.get(chosen.get(capability.value), FOUND),
            }
            for capability, label in NAMES.items()
        ]
        return context

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        """By the project's templates: those of forms have a place of their own."""
        return render_to_string(self.template_name, self.get_context(name, value, attrs))

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, bool]:
        given = {c.value: data.get(f"{name}_{c.value}") for c in Capability}
        return {key: _VALUES[value] for key, value in given.items() if value in _VALUES}

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return not any(key.startswith(f"{name}_") for key in data)

    def id_for_label(self, id_: str) -> str:
        return ""

    def use_required_attribute(self, initial: Any) -> bool:
        return False


class CapabilitiesField(forms.Field):
    widget = CapabilitiesInput

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", capfirst(_("capabilities")))
        super().__init__(required=False, **options)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((initial or {}) != (data or {}))
