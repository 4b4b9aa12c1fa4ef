"""What a picture is taken of: a page, a state of it, and where in the product that is found."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page

READER, PASSWORD = "priya@heronbay.example", "read-and-change-nothing-7"
Act = Callable[[Page], None]


@dataclass(frozen=True)
class Scene:
    """What is where in the running product: ids that addresses need."""

    conversations: dict[str, str]
    collection: str
    document: str
    link: str
    rows: dict[str, str] = field(default_factory=dict)  # of the administration
    language: str = "en"

    @property
    def conversation(self) -> str:
        """One in the language of the page."""
        own = {"zh-Hans": "hans", "zh-Hant": "hant"}.get(self.language, "leave")
        return f"/c/{self.conversations[own]}"


@dataclass(frozen=True)
class State:
    name: str
    path: str | Callable[[Scene], str]
    act: Act | None = None
    after: Act | None = None  # so that the next picture finds what this one found
    options: dict[str, Any] = field(default_factory=dict)  # of the context
    is_signed_in: bool = True
    is_reader: bool = False  # somebody who may read the collections, and change none
    only: str = ""  # "desktop" or "phone"
    full_page: bool = False

    def address(self, scene: Scene) -> str:
        return self.path if isinstance(self.path, str) else self.path(scene)
