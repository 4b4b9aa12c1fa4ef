"""What the person says to an answer that is being written.

A note is a row before anybody acts on it. A run with tools takes it up at its next step; one that
nobody took up is asked as the next question, unless the person stopped the answer: then it is
theirs again, to send or to leave.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from itertools import accumulate
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404
from django.utils import timezone

from accounts.models import User
from agents.approvals.asking import withdraw
from agents.models import RunNote
from agents.running.keeping import close_calls
from chat.errors import ChatError, EmptyQuestion, KeyReused, QuestionTooLong, TooLateToSay
from chat.models import Turn
from chat.turns.starting import MAX_QUESTION, UNFINISHED, start_turn
from events import doorbell
from events.notices import What, notice
from security.ids import first_id_at
from security.text import storable

MAX_NOTE = 20_000
BETWEEN = "\n\n"
REMEMBERED = timedelta(days=1)  # that a note which nobody took up is asked by the clock

log = logging.getLogger(__name__)


def say(user: User, turn_id: UUID, text: str, key: str | None = None) -> RunNote:
    """Keep a note for the run of a turn that the person asked; the same key is the same note.

    Raises Http404 for the turn of anybody else, and ChatError; TooLateToSay when it has ended.
    """
    text = storable(text).strip()
    if not text:
        raise EmptyQuestion
    if len(text) > MAX_NOTE:
        raise QuestionTooLong(MAX_NOTE)
    with transaction.atomic():
        turn = _own_turns(user).select_for_update(of=("self",), no_key=True).filter(pk=turn_id)
        asked = turn.first()
        if asked is None:
            raise Http404
        if key is not None and (known := RunNote.objects.filter(run_id=turn_id, key=key).first()):
            if known.text != text:
                raise KeyReused
            return known
        if asked.status not in UNFINISHED:
            raise TooLateToSay
        note = RunNote.objects.create(run_id=turn_id, owner=user, key=key, text=text)
        transaction.on_commit(lambda: _ring(asked), robust=True)
        return note


def notes_of(user: User, turn_id: UUID) -> list[RunNote]:
    """All that was said to it, each with its `fate`. Raises Http404."""
    turn = _own_turns(user).filter(pk=turn_id).first()
    if turn is None:
        raise Http404
    notes = list(RunNote.objects.visible_to(user).filter(run_id=turn_id).order_by("id"))
    for note in notes:
        note.fate = _fate(note, turn)  # type: ignore[attr-defined]
    return notes


def _own_turns(user: User) -> QuerySet[Turn]:
    found: QuerySet[Turn] = Turn.objects.editable_by(user).filter(requested_by=user)
    return found


def _fate(note: RunNote, turn: Turn) -> str:
    if note.step is not None:
        return "taken"
    if note.asked_as == note.run_id:
        return "left"
    if note.asked_as is not None:
        return "asked"
    return "left" if turn.status == Turn.Status.STOPPED else "waiting"


def wind_up(turn_id: UUID, status: str) -> None:
    """A turn has ended: calls of its run that have not are cut off, nobody needs to decide about
    them any more, and notes are asked."""
    close_calls([turn_id])
    withdraw([turn_id])
    if status != Turn.Status.STOPPED:
        ask_what_is_left(turn_id)


def ask_what_is_left(turn_id: UUID) -> Turn | None:
    """What nobody took up, as one question after what is shown last; once. What does not fit is
    said to the answer to that; what may not be asked is the person's again."""
    with transaction.atomic():
        turn = Turn.objects.filter(pk=turn_id).select_related("requested_by").first()
        if turn is None or turn.status in {*UNFINISHED, Turn.Status.STOPPED}:
            return None
        waiting = RunNote.objects.waiting().filter(run_id=turn_id, owner=turn.requested_by)
        notes = list(waiting.order_by("id").select_for_update(skip_locked=True))
        if not notes:
            return None
        now = _fitting(notes)
        try:
            with transaction.atomic():
                asked = start_turn(
                    turn.requested_by,
                    turn.conversation_id,
                    BETWEEN.join(note.text for note in now),
                    idempotency_key=f"note:{notes[0].pk}",
                    token=turn.token_id,
                )
        except (Http404, ChatError) as error:  # who may not ask there any more
            log.info("notes to turn %s are not asked: %s", turn_id, type(error).__name__)
            _these(notes).update(asked_as=turn_id)
            return None
        _these(now).update(asked_as=asked.pk)
        _these(notes[len(now) :]).update(run_id=asked.pk)
        return asked


def _these(notes: Sequence[RunNote]) -> QuerySet[RunNote]:
    return RunNote.objects.filter(pk__in=[note.pk for note in notes])


def _fitting(notes: Sequence[RunNote]) -> Sequence[RunNote]:
    """As many of the first ones as one question may hold; one always fits."""
    ends = accumulate(len(note.text) + len(BETWEEN) for note in notes)
    return notes[: sum(end - len(BETWEEN) <= MAX_QUESTION for end in ends)]


def sweep() -> int:
    """What runners left behind that died when a turn had ended; how many. The clock calls this."""
    ended = Turn.objects.filter(pk=OuterRef("run_id"), finished_at__isnull=False)
    left = RunNote.objects.waiting().filter(
        Exists(ended.exclude(status=Turn.Status.STOPPED)),
        pk__gte=first_id_at(timezone.now() - REMEMBERED),
    )
    turns = list(left.order_by("run_id").values_list("run_id", flat=True).distinct()[:100])
    return sum(ask_what_is_left(pk) is not None for pk in turns)


def _ring(turn: Turn) -> None:
    """The runner that has it, and other tabs."""
    doorbell.ring_all(
        (doorbell.RUNNERS, {"note": str(turn.pk)}),
        (doorbell.NOTICES, notice(What.NOTED, turn.conversation_id, turn=turn.pk)),
    )
