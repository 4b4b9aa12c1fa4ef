"""How long to wait before something that died is started again."""

import time
from dataclasses import dataclass

PAUSES = (0.5, 1, 2, 5, 10, 30)
STEADY_SECONDS = 60  # who lived this long starts again with the shortest pause


@dataclass
class BackOff:
    """Growing pauses between starts; `failures` counts the deaths since the last steady life."""

    failures: int = 0
    started_at: float = 0.0
    restart_at: float = 0.0

    def note_start(self) -> None:
        self.started_at = time.monotonic()

    def note_death(self) -> None:
        """Plan the next start."""
        now = time.monotonic()
        if now - self.started_at > STEADY_SECONDS:
            self.failures = 0
        self.restart_at = now + PAUSES[min(self.failures, len(PAUSES) - 1)]
        self.failures += 1

    def is_over(self) -> bool:
        return time.monotonic() >= self.restart_at

    def seconds_left(self) -> float:
        return max(self.restart_at - time.monotonic(), 0)
