"""What the person says to a run that has begun: each note is taken up once, behind a step."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from agents.running.fencing import HELD
from agents.running.models import RunNote
from observability.postgres.prepared import prepared

TAKE = f"""
with {HELD}, taken as (
    update agents_runnote set step = %(step)s::smallint
    where run_id in (select id from held) and owner_id = %(owner)s and asked_as is null
      and (step is null or step = %(step)s::smallint)
    returning id, text
)
select id, text from taken order by id
"""  # noqa: S608 - nothing of a user's


@dataclass(frozen=True, slots=True)
class Note:
    id: UUID
    text: str


def are_waiting(run_id: UUID, owner_id: UUID) -> bool:
    return RunNote.objects.waiting().filter(run_id=run_id, owner=owner_id).exists()


def take(run_id: UUID, owner_id: UUID, fence: int, step: int) -> list[Note]:
    """Those of its person that wait are heard behind this step, by whoever holds the run alone.

    Whoever asks again gets the same: the answer to a commit may be lost.
    """
    with prepared() as cursor:
        cursor.execute(TAKE, {"run_id": run_id, "owner": owner_id, "fence": fence, "step": step})
        return [Note(*row) for row in cursor.fetchall()]


def notes_of(run_id: UUID, before: int = 0) -> Mapping[int, list[Note]]:
    """Those that were heard, by the steps behind which they were; of these, so many are of who
    wrote the answer `before`."""
    found: dict[int, list[Note]] = {}
    rows = RunNote.objects.filter(run_id=run_id, step__gt=before).order_by("id")
    for row in rows:
        found.setdefault((row.step or 0) - before, []).append(Note(row.pk, row.text))
    return found
