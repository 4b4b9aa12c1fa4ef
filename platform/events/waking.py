"""Work that waits for a person goes on when they have decided."""

from uuid import UUID

from events import doorbell, leases


def wake(stream_id: UUID) -> None:
    """Make it due again and ring. A stream that is closed or gone stays so; to be called when what
    was decided is committed."""
    if leases.wake(stream_id):
        doorbell.ring(doorbell.RUNNERS, {"claim": "turn"})
