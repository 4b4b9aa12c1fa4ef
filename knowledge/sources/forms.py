"""What a person fills in for a source, a form each kind."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from knowledge.models import Source

DAYS = _("Days after which the document of an item that is gone there is removed here.")
LINES = _("One pattern a line: *.md, docs/**, /README.md. Empty means everything.")
LEFT_OUT = _("What matches is left out, even when it is included.")


# What most leave as it is.
SELDOM = frozenset({
    "branch", "username", "secret", "depth", "most_pages", "include", "exclude", "pause_seconds",
    "region",
})  # fmt: skip


class PatternsField(forms.CharField):
    """A list, one entry a line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, widget=forms.Textarea(attrs={"rows": 3}), **options)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        return [line.strip() for line in text.splitlines() if line.strip()]


class SourceForm(forms.Form):
    """What all have; `SETTINGS` names what is the kind's own."""

    SETTINGS: tuple[str, ...] = ()

    name = forms.CharField(label=_("Name"), max_length=120)
    schedule = forms.ChoiceField(
        label=_("Sync"), choices=Source.Schedule.choices, initial=Source.Schedule.DAILY
    )
    grace_days = forms.IntegerField(
        label=_("Days of grace"), min_value=0, max_value=365, initial=7, help_text=DAYS
    )

    @property
    def settings(self) -> dict[str, Any]:
        values = {name: self.cleaned_data[name] for name in self.SETTINGS}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def own_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.SETTINGS if name not in SELDOM]

    @property
    def seldom_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in (*self.SETTINGS, "secret")
                if name in SELDOM and name in self.fields]  # fmt: skip


class _WithSecret(SourceForm):
    secret = forms.CharField(
        label=_("Credentials"),
        required=False,
        max_length=4000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("A token, or name:password. Stored sealed, never shown again."),
    )


class FolderForm(SourceForm):
    SETTINGS = ("path", "include", "exclude")

    path = forms.CharField(label=_("Folder on the server"), max_length=1000)
    include = PatternsField(label=_("Only these files"), help_text=LINES)
    exclude = PatternsField(label=_("Not these files"), help_text=LEFT_OUT)


class GitForm(_WithSecret):
    SETTINGS = ("address", "branch", "username", "include", "exclude")

    address = forms.CharField(
        label=_("Address"), max_length=2000,
        help_text="https://git.example.org/team/docs.git",
    )  # fmt: skip
    branch = forms.CharField(
        label=_("Branch"), max_length=200, required=False,
        help_text=_("Empty: the one that the repository shows first."),
    )  # fmt: skip
    username = forms.CharField(label=_("User name"), max_length=200, required=False)
    include = PatternsField(label=_("Only these files"), help_text=LINES)
    exclude = PatternsField(label=_("Not these files"), help_text=LEFT_OUT)


class WebForm(_WithSecret):
    SETTINGS = (
        "address", "reach", "depth", "most_pages", "include", "exclude", "pause_seconds",
    )  # fmt: skip

    address = forms.CharField(
        label=_("Address"), max_length=2000, help_text="https://www.example.org/handbook/"
    )
    reach = forms.ChoiceField(
        label=_("What to read"),
        choices=[
            ("site", _("the site, by its links")),
            ("sitemap", _("the pages in its sitemap")),
            ("page", _("this page alone")),
        ],
    )
    depth = forms.IntegerField(
        label=_("Links deep"), min_value=0, max_value=20, initial=3, required=False
    )
    most_pages = forms.IntegerField(
        label=_("Pages at most"), min_value=1, max_value=10_000, initial=500, required=False
    )
    include = PatternsField(label=_("Only these paths"), help_text=LINES)
    exclude = PatternsField(label=_("Not these paths"), help_text=LEFT_OUT)
    pause_seconds = forms.FloatField(
        label=_("Seconds between two pages"), min_value=0.1, max_value=60, initial=1,
        required=False,
    )  # fmt: skip


class FeedForm(_WithSecret):
    SETTINGS = ("address", "has_full_pages", "pause_seconds")

    address = forms.CharField(
        label=_("Address"), max_length=2000, help_text="https://www.example.org/news.xml"
    )
    has_full_pages = forms.TypedChoiceField(
        label=_("What to read"),
        coerce=lambda value: value in {"True", True},
        choices=[(True, _("the pages that entries lead to")), (False, _("the entries alone"))],
    )
    pause_seconds = forms.FloatField(
        label=_("Seconds between two pages"), min_value=0.1, max_value=60, initial=1,
        required=False,
    )  # fmt: skip


class S3Form(SourceForm):
    SETTINGS = ("address", "bucket", "prefix", "access_key", "region", "include", "exclude")

    address = forms.CharField(
        label=_("Address"), max_length=2000, help_text="https://s3.eu-central-1.amazonaws.com"
    )
    bucket = forms.CharField(label=_("Bucket"), max_length=255)
    prefix = forms.CharField(  # type: ignore[assignment]  # a field, and no attribute of forms
        label=_("Only below"), max_length=1000, required=False,
        help_text=_("The beginning of the names: handbook/. Empty means the whole bucket."),
    )  # fmt: skip
    access_key = forms.CharField(
        label=_("Access key"), max_length=128, required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("Empty for a bucket that everybody may read."),
    )  # fmt: skip
    secret = forms.CharField(
        label=_("Secret key"),
        required=False,
        max_length=4000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Stored sealed, never shown again. One that may list and read is enough."),
    )
    region = forms.CharField(label=_("Region"), max_length=40, initial="us-east-1", required=False)
    include = PatternsField(label=_("Only these files"), help_text=LINES)
    exclude = PatternsField(label=_("Not these files"), help_text=LEFT_OUT)

    @property
    def own_fields(self) -> list[forms.BoundField]:
        """With both halves of the credentials: few buckets are everybody's."""
        return [*super().own_fields, self["secret"]]

    @property
    def seldom_fields(self) -> list[forms.BoundField]:
        return [field for field in super().seldom_fields if field.name != "secret"]

    def clean_region(self) -> str:
        return self.cleaned_data["region"] or "us-east-1"


class ApiForm(SourceForm):
    grace_days = forms.IntegerField(
        label=_("Days of grace"), min_value=0, max_value=365, initial=0, help_text=DAYS
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        del self.fields["schedule"]


FORMS: dict[str, type[SourceForm]] = {
    Source.Kind.FOLDER: FolderForm,
    Source.Kind.GIT: GitForm,
    Source.Kind.WEB: WebForm,
    Source.Kind.FEED: FeedForm,
    Source.Kind.S3: S3Form,
    Source.Kind.API: ApiForm,
}
