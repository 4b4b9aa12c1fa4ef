"""Rows of a table in the administration, whose fields say their names.

Django shows the name of a column in its head alone, where nobody hears it who moves from field to
field.
"""

from typing import Any

from django.forms import BaseInlineFormSet


class NamedRows(BaseInlineFormSet):  # type: ignore[type-arg]  # not generic at run time
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        for field in form.fields.values():
            if field.label and not field.widget.is_hidden:
                field.widget.attrs.setdefault("aria-label", str(field.label))
