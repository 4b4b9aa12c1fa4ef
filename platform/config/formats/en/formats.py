"""Dates in English as people write them on every side of the sea: 21 Nov 2026, 16:05."""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, H:i"
