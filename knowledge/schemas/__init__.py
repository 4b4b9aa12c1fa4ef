"""What the JSON API says and accepts about knowledge: `collections`, `documents`, `searching`."""

from knowledge.schemas.base import AT, ID, Name, example

__all__ = ["AT", "ID", "Name", "example"]
