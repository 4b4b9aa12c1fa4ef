"""What people call the work that jobs do; the rows name it by a dotted path."""

from collections.abc import Mapping

from django.utils.functional import Promise

_titles: dict[str, str | Promise] = {}


def name_tasks(titles: Mapping[str, str | Promise]) -> None:
    """An app tells, when it is ready, what its tasks are called: dotted path to title."""
    _titles.update(titles)


def title_of(task: str) -> str:
    """In the reader's language; of a task that nobody named, its function in words."""
    title = _titles.get(task)
    return str(title) if title else task.rpartition(".")[2].replace("_", " ").capitalize()


def list_titles() -> list[tuple[str, str]]:
    """(task, title) of all that are named, by title."""
    return sorted(((task, title_of(task)) for task in _titles), key=lambda pair: pair[1])
