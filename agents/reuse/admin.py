"""The administration's pages of similar questions: measure, and see what was measured."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest, HttpResponse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.callers import caller
from agents.reuse.measuring import SHIPPED, BadQuestions, Pair, measure, read_pairs, shipped_pairs
from agents.reuse.models import Measurement
from gateway.embedding.embedder import EmbedderUnavailable
from gateway.errors import GatewayError

LARGEST_FILE = 1024 * 1024  # bytes


class MeasurementForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    similarity = forms.IntegerField(
        label=gettext_lazy("Nearness, %"),
        initial=95,
        validators=[MinValueValidator(80), MaxValueValidator(100)],
        help_text=gettext_lazy("As the agent has it: a higher one reuses less, and errs less."),
    )
    file = forms.FileField(
        label=gettext_lazy("Labelled questions"),
        required=False,
        help_text=gettext_lazy(
            "CSV with the columns question, other and same (1 or 0). Without a file: the questions "
            "that come with Parley."
        ),
    )

    class Meta:
        model = Measurement
        fields = ["similarity"]

    def clean_file(self) -> list[Pair]:
        file = self.cleaned_data["file"]
        if file is None:
            return shipped_pairs()
        if (file.size or 0) > LARGEST_FILE:
            raise forms.ValidationError(_("The file is larger than 1 MB."))
        try:
            return read_pairs(file.read().decode())
        except UnicodeDecodeError as error:
            raise forms.ValidationError(_("The file is not UTF-8.")) from error
        except BadQuestions as error:
            raise forms.ValidationError(str(error)) from error


@admin.register(Measurement)
class MeasurementAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Each is a fact: it can be added to by another one, and removed, but not changed."""

    form = MeasurementForm
    list_display = ("measured_at", "embedder", "similarity", "questions", "pairs", "hits",
        "false_hits", "share", "passed")  # fmt: skip
    exact_fields = ("id",)
    search_fields = ("embedder", "questions")
    readonly_fields = ("measured_at", "measured_by", "embedder", "similarity", "questions", "pairs",
        "different", "hits", "false_hits", "share", "limit", "passed")  # fmt: skip

    @admin.display(description=gettext_lazy("share of false hits"))
    def share(self, found: Measurement) -> str:
        return f"{number_format(found.false_share * 100, 1)} %"

    @admin.display(description=gettext_lazy("may be used"), boolean=True)
    def passed(self, found: Measurement) -> bool:
        return found.is_passed

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj else ("similarity", "file")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Measurement, form: Any, change: bool) -> None:
        """Measuring is what makes the row."""
        file = request.FILES.get("file")
        name = getattr(file, "name", None) or SHIPPED.name
        pairs, similarity = form.cleaned_data["file"], form.cleaned_data["similarity"]
        made = measure(pairs, similarity, name, by=caller(request))
        for field in Measurement._meta.concrete_fields:
            setattr(obj, field.attname, getattr(made, field.attname))
        obj._state.adding = False

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        try:
            return super().add_view(request, form_url, extra_context)
        except (GatewayError, EmbedderUnavailable) as error:
            self.message_user(request, str(error), messages.ERROR)
            return self.response_post_save_add(request, Measurement())

    def response_add(
        self, request: HttpRequest, obj: Any, *args: Any, **options: Any
    ) -> HttpResponse:
        text = _("%(hits)s of %(pairs)s pairs would share an answer, %(wrong)s of them wrongly.")
        said = text % {"hits": obj.hits, "pairs": obj.pairs, "wrong": obj.false_hits}
        verdict = _("Agents may use it.") if obj.is_passed else _("Agents may not use it.")
        level = messages.SUCCESS if obj.is_passed else messages.WARNING
        self.message_user(request, f"{said} {verdict}", level)
        return self.response_post_save_add(request, obj)
