"""A turn that waits for its person: nobody holds it until they have decided."""

from events import leases
from events.types import Claim
from observability.postgres.prepared import prepared

PARK = f"""
with {leases.PARKING}, told as (
    update chat_turn set status = 'waiting' where id in (select id from parked)
)
select from parked
"""  # noqa: S608 - nothing of a user's


def park_turn(claim: Claim) -> None:
    """Leave it, with all that it has told stored; if they decided meanwhile it is due at once. A
    turn that is not ours any more is left alone."""
    with prepared() as cursor:
        cursor.execute(PARK, {"id": claim.stream_id, "fence": claim.fence})
