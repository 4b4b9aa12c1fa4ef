"""Monthly partitions of the message table."""

from security.months import MonthlyTable

MESSAGES = MonthlyTable("chat_message", lock=7_402_001)


def ensure_ahead() -> list[str]:
    """For the clock."""
    return MESSAGES.ensure_ahead()
