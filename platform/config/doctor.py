"""What `manage.py doctor` looks at: from the ground up, each with the next thing to do."""

import importlib.metadata
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis
from django.conf import settings

from accounts.models import User
from embedded.home import REPOSITORY, SMALLEST_FREE_MB
from gateway.embedding.minilm import ModelFilesError, ensure_model
from gateway.models import Deployment, Model
from knowledge.extraction import ocr
from observability.db import connect_directly
from observability.doorbell import connection as redis_connection
from observability.heartbeats import seen
from observability.readiness import Connection, unapplied_migrations
from security.reading import ROLE, is_fitted

OK, WARN, FAIL = "ok", "warn", "fail"
COMFORTABLE_FREE_MB = 2048
PINNED = re.compile(r"^([A-Za-z0-9_.-]+)==(\S+)([^\\#]*)")


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, how it is, and what to do next (empty when it is well)."""

    name: str
    status: str
    message: str
    next_step: str = ""


def examine() -> Iterator[Finding]:
    """All findings in order; what cannot be known without Postgres or Redis is left out."""
    yield check_python()
    yield check_packages()
    yield check_home()
    yield check_disk()
    yield check_embedder()
    yield check_ocr()
    yield check_static_files()
    yield from check_database()
    doorbell = check_redis()
    yield doorbell
    if doorbell.status != FAIL:
        yield from (check_process(kind) for kind in ("runner", "worker", "clock"))


def check_python() -> Finding:
    """The version only: with one that is too old, nothing would have come this far."""
    return Finding("Python", OK, ".".join(map(str, sys.version_info[:3])))


def check_packages() -> Finding:
    """Every pin of requirements.txt that applies here, at its exact version."""
    wrong = [name for name, version in _pins() if _installed(name) != version]
    if wrong:
        shown = ", ".join(wrong[:5]) + (" …" if len(wrong) > 5 else "")
        return Finding(
            "Packages", FAIL, f"missing or of another version: {shown}", "Run `make up`."
        )
    return Finding("Packages", OK, "as pinned in requirements.txt")


def _pins() -> Iterator[tuple[str, str]]:
    for line in (REPOSITORY / "requirements.txt").read_text().splitlines():
        if (match := PINNED.match(line)) and not match[3].strip().startswith(";"):
            yield match[1], match[2]


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def check_home() -> Finding:
    folder = settings.PARLEY_HOME.path
    probe = folder / ".doctor"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_text("")
        probe.unlink()
    except OSError as problem:
        return Finding(
            "State folder", FAIL, f"{folder}: {problem.strerror}",
            "Give this user the folder, or set PARLEY_HOME to another one.",
        )  # fmt: skip
    return Finding("State folder", OK, str(folder))


def check_disk() -> Finding:
    existing = next(p for p in (settings.PARLEY_HOME.path, *settings.PARLEY_HOME.path.parents)
                    if p.exists())  # fmt: skip
    free = shutil.disk_usage(existing).free // 2**20
    status = FAIL if free < SMALLEST_FREE_MB else WARN if free < COMFORTABLE_FREE_MB else OK
    advice = "" if status == OK else "Free some space, or set PARLEY_HOME to a larger disk."
    return Finding("Free space", status, f"{free} MB", advice)


def check_embedder() -> Finding:
    try:
        files = ensure_model(settings.PARLEY_HOME.models)
    except ModelFilesError as problem:
        return Finding("Embedding model", FAIL, str(problem), "Run `make up`.")
    return Finding("Embedding model", OK, f"verified ({files.onnx.name})")


def check_ocr() -> Finding:
    """An extra: well with it and without it, but nobody should have to guess."""
    if settings.PARLEY_OCR == ocr.OFF:
        return Finding("OCR", OK, "off: pages that are pictures are not read")
    name = ocr.describe(settings.PARLEY_OCR)
    absent = "not installed: pages that are pictures are not read (docs/ingestion.md)"
    return Finding("OCR", OK, name or absent)


def check_static_files() -> Finding:
    if not (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
        return Finding(
            "Static files", FAIL, "not packed", "Run `manage.py prepare` (`up` does it by itself)."
        )
    return Finding("Static files", OK, "packed")


def check_database() -> Iterator[Finding]:
    try:
        with connect_directly(connect_timeout=5) as connection:
            yield check_postgres(connection)
            yield check_vector(connection)
            migrations = check_migrations(connection)
    except psycopg.Error as problem:
        yield Finding(
            "Postgres",
            FAIL,
            (str(problem).strip().splitlines() or ["no answer"])[0],
            "Start Parley with `make up`, or correct DATABASE_URL.",
        )
        return
    yield migrations
    if migrations.status == OK:
        yield check_second_lock()
        yield check_administrator()
        yield check_model()


def check_postgres(connection: Connection) -> Finding:
    version = connection.info.server_version // 10000
    if version < 16:
        return Finding("Postgres", FAIL, f"version {version}", "Use Postgres 16 or later.")
    return Finding("Postgres", OK, f"version {version}")


def check_vector(connection: Connection) -> Finding:
    row = connection.execute(
        "select extversion from pg_extension where extname = 'vector'"
    ).fetchone()
    if row is None:
        return Finding("pgvector", FAIL, "not in this database", "Run `manage.py prepare`.")
    if tuple(map(int, row[0].split(".")[:2])) < (0, 8):
        return Finding("pgvector", FAIL, row[0], "Install pgvector 0.8 or later on the server.")
    return Finding("pgvector", OK, row[0])


def check_migrations(connection: Connection) -> Finding:
    missing = len(unapplied_migrations(connection))
    if missing:
        return Finding("Migrations", FAIL, f"{missing} have not run", "Run `manage.py prepare`.")
    return Finding("Migrations", OK, "all have run")


def check_second_lock() -> Finding:
    """Without it people read behind one lock only, as a managed Postgres may have it."""
    if not settings.PARLEY_SECOND_LOCK:
        return Finding("Second lock", WARN, "off", "Set PARLEY_SECOND_LOCK=true.")
    if not is_fitted():
        return Finding(
            "Second lock", WARN, f"off: this database user may not take the role {ROLE}",
            f"As an administrator of Postgres: create role {ROLE} nologin; "
            f"grant {ROLE} to this user; then `manage.py prepare`, and restart Parley.",
        )  # fmt: skip
    return Finding("Second lock", OK, f"people read as {ROLE}, under row policies")


def check_administrator() -> Finding:
    count = User.objects.filter(is_staff=True, is_active=True).count()
    if not count:
        return Finding("Administrator", FAIL, "nobody", "Run `manage.py createsuperuser`.")
    return Finding("Administrator", OK, str(count))


def check_model() -> Finding:
    """A model is not needed to work, so its absence is a hint and not a failure."""
    served = Deployment.objects.filter(
        is_enabled=True, endpoint__is_enabled=True, model__kind=Model.Kind.CHAT
    )
    names = sorted(set(served.values_list("model__name", flat=True)))
    broken = served.exclude(endpoint__last_error="").values_list("endpoint__name", flat=True)
    if not names:
        return Finding(
            "Model",
            WARN,
            "none is connected; answers are quoted from the documents",
            "Add an endpoint under Administration, or start with PARLEY_MODEL_BASE_URL.",
        )
    if broken:
        return Finding(
            "Model",
            WARN,
            f"the last test of {', '.join(sorted(set(broken)))} failed",
            "Open it under Administration, Endpoints, and press “Test connection”.",
        )
    return Finding("Model", OK, ", ".join(names[:5]))


def check_redis() -> Finding:
    try:
        version = redis_connection().info("server")["redis_version"]
    except redis.RedisError as problem:
        return Finding(
            "Redis", FAIL, str(problem), "Start Parley with `make up`, or correct REDIS_URL."
        )
    return Finding("Redis", OK, str(version))


def check_process(kind: str) -> Finding:
    alive = seen(kind)
    if not alive:
        return Finding(
            kind.capitalize(), FAIL, "not seen in the last seconds",
            f"Start it: `manage.py {kind}`, or everything with `make up`.",
        )  # fmt: skip
    return Finding(kind.capitalize(), OK, f"{len(alive)} alive")
