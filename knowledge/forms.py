from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Grant, Team, User
from accounts.selectors import find_user
from knowledge.bulk import Action
from knowledge.curation.documents import AGES, FOR_READERS, LISTS, ORDERS, Wanted
from knowledge.models import Collection, Document
from knowledge.rows import TYPE_NAMES


class CollectionForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    class Meta:
        model = Collection
        fields = ["name", "description"]
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "description": _("What is in it and who it is for. Shown beside the name."),
        }


class OwnedCollectionForm(CollectionForm):
    """For its owners, who say which endpoints may see it."""

    class Meta(CollectionForm.Meta):
        fields = ["name", "description", "required_labels"]


class DeleteCollectionForm(forms.Form):
    """Asks for the collection's name, so that nothing large is deleted by one slip."""

    name = forms.CharField(label=_("Type the name to confirm"))

    def __init__(self, collection: Collection, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.collection = collection

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name.strip() != self.collection.name.strip():
            raise ValidationError(_("This is not the collection's name. Nothing was deleted."))
        return name


class GrantForm(forms.Form):
    """A person by e-mail address or a team by name, and what they may do."""

    email = forms.EmailField(
        label=_("E-mail address"), required=False, help_text=_("Of someone with an account here.")
    )
    team = forms.ModelChoiceField(
        label=_("or a team"), queryset=Team.objects.none(), required=False, empty_label="–"
    )
    role = forms.ChoiceField(
        label=_("May"),
        choices=[
            (Grant.Role.READER.value, _("read")),
            (Grant.Role.EDITOR.value, _("read and edit")),
            (Grant.Role.OWNER.value, _("read, edit and share")),
        ],
    )

    def __init__(self, user: User, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        teams = self.fields["team"]
        assert isinstance(teams, forms.ModelChoiceField)
        mine = Q(is_everyone=True) | Q(members=user)
        teams.queryset = (
            Team.objects.all() if user.is_staff else Team.objects.filter(mine).distinct()
        )

    def clean(self) -> dict[str, object]:
        data = super().clean() or {}
        email, team = data.get("email"), data.get("team")
        if self.errors:
            return data
        if bool(email) == bool(team):
            raise ValidationError(_("Give an e-mail address or choose a team, one of the two."))
        data["grantee"] = team or self._person(str(email))
        return data

    def _person(self, email: str) -> User | None:
        person = find_user(email)
        if person is None or not person.is_active:
            self.add_error("email", _("Nobody here has this address. Ask an administrator."))
            return None
        return person


class DocumentGrantForm(GrantForm):
    """A person or a team that may read one document: more there is not to give."""

    role = forms.ChoiceField(choices=[(Grant.Role.READER.value, _("read"))], required=False)


class DocumentFilter(forms.Form):
    """Which documents of a collection are listed."""

    q = forms.CharField(required=False)
    status = forms.ChoiceField(
        required=False,
        choices=[
            ("", _("All")),
            (Document.Status.READY.value, _("Ready")),
            ("active", _("In work")),
            (Document.Status.PAUSED.value, _("Paused")),
            (Document.Status.FAILED.value, _("Need attention")),
        ],
    )
    kind = forms.ChoiceField(
        required=False,
        choices=[("", _("All types")), *TYPE_NAMES.items()],
    )
    list = forms.ChoiceField(required=False, choices=[*LISTS.items()])
    source = forms.UUIDField(required=False)
    age = forms.ChoiceField(required=False, choices=[*AGES.items()])
    order = forms.ChoiceField(
        required=False, choices=[(name, label) for name, (label, _fields) in ORDERS.items()]
    )
    cursor = forms.CharField(required=False)

    def __init__(self, *args: object, may_edit: bool = False, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.lists = [
            (name, label) for name, label in LISTS.items() if may_edit or name in FOR_READERS
        ]
        chosen = self.fields["list"]
        assert isinstance(chosen, forms.ChoiceField)
        chosen.choices = self.lists

    def to_wanted(self) -> Wanted:
        """What is asked for; all of it where that makes no sense."""
        if not self.is_valid():
            return Wanted()
        names = ("list", "q", "status", "kind", "source", "age", "order")
        return Wanted(**{name: self.cleaned_data[name] for name in names})


class MatchingForm(DocumentFilter):
    """One thing to be done to all documents that the filter lists."""

    action = forms.TypedChoiceField(choices=[(one, "") for one in Action], coerce=Action)
    target = forms.UUIDField(required=False)

    def __init__(self, data: object) -> None:
        super().__init__(data, may_edit=True)


class ViewerForm(forms.Form):
    """Whose eyes to look through, by address: for people who have access with everybody else."""

    email = forms.EmailField(label=_("Somebody else, by e-mail address"))


class SearchForm(forms.Form):
    """A question to try on the index, and where."""

    q = forms.CharField(max_length=2000)
    collection = forms.ModelMultipleChoiceField(queryset=Collection.objects.none(), required=False)

    def __init__(self, user: User, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        collections = self.fields["collection"]
        assert isinstance(collections, forms.ModelMultipleChoiceField)
        collections.queryset = Collection.objects.visible_to(user)
