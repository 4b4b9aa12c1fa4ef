"""What a backup says about itself: enough to check every byte and row of it elsewhere."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from embedded.backup.errors import BackupRefused

FORMAT = 1
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Part(_Strict):
    """One file of the archive."""

    size: Count
    sha256: Sha256


class Table(_Strict):
    """One table at the moment of the backup; `digest` does not depend on the order of rows."""

    rows: Count
    digest: str


class Manifest(_Strict):
    """The archive's last part. `migrations` is the version of Parley, as far as data goes."""

    format: int = FORMAT
    created_at: str
    postgres: int
    pg_dump: int
    database_bytes: Count
    migrations: list[str]
    tables: dict[str, Table]
    secret_keys: dict[str, Count]
    lost_files: list[str]
    parts: dict[str, Part]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables.values())

    def size_of(self, beginning: str) -> int:
        return sum(part.size for name, part in self.parts.items() if name.startswith(beginning))

    def count_of(self, beginning: str) -> int:
        return sum(name.startswith(beginning) for name in self.parts)


def read_manifest(text: bytes) -> Manifest:
    """Raises `BackupRefused` for anything that is not exactly a manifest of this format."""
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise BackupRefused(
            f"The backup's manifest is not readable: {where}: {first['msg']}."
        ) from problem
    if manifest.format != FORMAT:
        raise BackupRefused(f"The backup has format {manifest.format}; this Parley reads {FORMAT}.")
    return manifest
