"""Whether a curator has changed since what somebody quotes."""

from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Length

from knowledge.models import PassageEdit

Kind, State = PassageEdit.Kind, PassageEdit.State
SAYS_OTHERWISE = (Kind.CORRECT, Kind.EXCLUDE)


def is_edited(document: str, start: str, end: str) -> Exists:
    """A condition on rows that quote the present version of a document from one place to another:
    its words were corrected or excluded, or were a curator's and are taken back."""
    low, high = OuterRef(start), OuterRef(end)
    replaced = Q(state=State.APPLIED, kind__in=SAYS_OTHERWISE, start__lt=high, end__gt=low)
    taken_back = Q(state=State.UNDONE, text_start__lt=high, text_end__gt=low)
    edits = PassageEdit.objects.annotate(text_end=F("text_start") + Length("text"))
    return Exists(edits.filter(replaced | taken_back, document=OuterRef(document)))
