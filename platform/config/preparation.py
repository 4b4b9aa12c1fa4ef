"""Everything between an empty database and the first request; running it again changes nothing.

`up` runs it before the processes start; with compose or Helm it is the release step. Several may
run at once: they wait for each other at an advisory lock.
"""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import transaction

from accounts.models import User
from agents.services import ensure_builtin_agents
from config import second_lock
from embedded.console import BOLD, DIM, paint, say, say_done, step
from embedded.database import ensure_database
from embedded.errors import StartupError
from gateway.embedding.minilm import ModelFilesError, ensure_model
from gateway.services import connect_from_environment
from knowledge.services import ensure_samples
from observability.db import connect_directly
from observability.readiness import Connection, unapplied_migrations
from security import audit
from security.acts import Act

LOCK = 0x7061726C65790002  # "parley", 2: advisory lock of one preparation at a time
UNAMBIGUOUS = "abcdefghjkmnpqrstuvwxyz23456789"


def prepare() -> None:
    """Do what is missing, step by step. Raises `StartupError` with one clear line."""
    check_redis()
    ensure_database(settings.DATABASE_URL)
    with _one_at_a_time() as turn:
        migrate(turn)
        second_lock.fit()  # a restored database may lack the role: it belongs to the server
        ensure_embedding_model()
        collect_static_files()
        connect_first_model()
        ensure_administrator()
        ensure_agents()


def upgrade_database() -> None:
    """The migrations and nothing else, for `manage.py upgrade`; waits its turn like `prepare`."""
    with _one_at_a_time() as turn:
        migrate(turn)
        second_lock.fit()


def check_redis() -> None:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=5) as client:
            client.ping()
    except (redis.RedisError, ValueError) as problem:
        raise StartupError(
            f"Redis cannot be reached: {problem}. Correct REDIS_URL (redis://host:6379/0), "
            "or unset it to use the embedded Redis."
        ) from problem


@contextmanager
def _one_at_a_time() -> Iterator[Connection]:
    with connect_directly(connect_timeout=5) as turn:
        turn.execute("select pg_advisory_lock(%s)", [LOCK])
        yield turn


def migrate(turn: Connection) -> None:
    """Bring the database up to this version; a second start sees that nothing is missing."""
    with step("Database") as current:
        missing = len(unapplied_migrations(turn))
        if missing:
            call_command("migrate", interactive=False, verbosity=0)
        current.detail = f"{missing} migrations" if missing else "up to date"


def ensure_embedding_model() -> None:
    """Verify the embedded model; convert it once."""
    with step("Embedding model") as current:
        try:
            files = ensure_model(settings.PARLEY_HOME.models)
        except ModelFilesError as problem:
            raise StartupError(str(problem)) from problem
        current.detail = f"verified, {files.onnx.stat().st_size // 2**20} MB"


def collect_static_files() -> None:
    """Hash and compress the pages' files when any of them has changed since the last time."""
    root = Path(settings.STATIC_ROOT)
    stamp = root / ".stamp"
    sources = _static_fingerprint()
    if stamp.exists() and stamp.read_text() == sources:
        return
    with step("Pages") as current:
        if not stamp.exists():  # packing was interrupted: what is there may be cut short
            for ending in ("*.br", "*.gz"):
                for packed in root.rglob(ending):
                    packed.unlink()
        stamp.unlink(missing_ok=True)
        # Not cleared: a page that is open somewhere may still ask for the files it was made with.
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(sources)
        current.detail = "styles and scripts packed"


def _static_fingerprint() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            status = Path(storage.path(path)).stat()
            digest.update(f"{path}:{status.st_size}:{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def connect_first_model() -> None:
    """Make the endpoint that PARLEY_MODEL_BASE_URL describes, as long as there is none at all."""
    endpoint = connect_from_environment()
    if endpoint:
        say_done("Model endpoint", f"{endpoint.name}, as PARLEY_MODEL_BASE_URL says")


def ensure_administrator() -> None:
    """Make the first administrator, with a password shown this once, and give them the samples."""
    if User.objects.filter(is_staff=True).exists():
        return
    password = "-".join("".join(secrets.choice(UNAMBIGUOUS) for _ in range(5)) for _ in range(4))
    with step("Sample collection") as current, transaction.atomic():
        owner = User.objects.create_superuser(settings.PARLEY_ADMIN_EMAIL, password)
        audit.record(Act.ADMIN_ADDED, owner)
        samples = ensure_samples(owner)
        current.detail = f"{samples.documents.count()} documents, indexed in the background"
    say()
    say(f"  {paint('Sign in with', BOLD)}")
    say(f"    e-mail    {paint(owner.email, BOLD)}")
    say(f"    password  {paint(password, BOLD)}")
    say(f"    {paint('Shown only now. Keep it, or change it under Settings.', DIM)}")


def ensure_agents() -> None:
    """The agent everybody starts with; it belongs to the first administrator."""
    owner = User.objects.filter(is_superuser=True).order_by("date_joined").first()
    if owner is not None:
        ensure_builtin_agents(owner)
