"""Where sources keep what they need between two visits."""

from pathlib import Path
from uuid import UUID

from django.conf import settings


def repositories() -> Path:
    """Copies of git repositories, one a source, with their history: for log, blame and diff."""
    return Path(settings.FILES_ROOT).parent / "repositories"


def repository_of(source_id: UUID | str) -> Path:
    return repositories() / str(UUID(str(source_id)))
