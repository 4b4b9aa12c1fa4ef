"""What people do with embedding versions: begin one, search by it, go back, drop it.

Each is one transaction with its entry in the audit log; the long work is a job's (`jobs`).
"""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from events import jobs
from events.models import Job
from gateway.embedding.embedder import LOCAL_NAME, EmbedderUnavailable
from gateway.errors import GatewayError
from gateway.labels import LabelUnmet
from gateway.models import Model
from knowledge.embeddings.filling import count_vectors, embedder_of
from knowledge.embeddings.storages import STORAGES, is_indexable
from knowledge.models import Chunk, EmbeddingVersion
from knowledge.quality import gate
from security import audit
from security.acts import Act

FILL = "knowledge.embeddings.jobs.fill_version"
MEASURE = "knowledge.embeddings.jobs.measure_storages"
DROP = "knowledge.embeddings.jobs.drop_version"
MANAGE = "knowledge.change_embeddingversion"
State = EmbeddingVersion.State


class VersionRefused(Exception):
    """It cannot be done now; the text tells a person why."""


def may_manage(user: Any) -> bool:
    """Versions are the installation's: they cost its money and its time."""
    is_staff = isinstance(user, User) and user.is_active and user.is_staff
    return is_staff and user.has_perm(MANAGE)


def list_models() -> list[str]:
    """What can embed here: the embedded model, and those that the gateway offers."""
    offered = Model.objects.filter(kind=Model.Kind.EMBEDDING, deployments__is_enabled=True)
    return [LOCAL_NAME, *offered.order_by("name").values_list("name", flat=True).distinct()]


def begin(model: str, storage: str, by: User | None = None) -> EmbeddingVersion:
    """A new version that is being filled in the background; search goes on with the old one.

    Raises `VersionRefused`, also where the model does not answer or may not see every collection.
    """
    if storage not in STORAGES:
        raise VersionRefused(_("There is no such storage."))
    try:
        embedder = embedder_of(EmbeddingVersion(model=model))
        dimensions = embedder.dimensions
    except LabelUnmet as error:
        raise VersionRefused(str(error)) from error
    except (EmbedderUnavailable, GatewayError) as error:
        raise VersionRefused(_("The embedding model does not answer.")) from error
    wanted = {"model": embedder.name, "dimensions": dimensions, "storage": storage}
    with transaction.atomic():
        same = EmbeddingVersion.objects.select_for_update().filter(**wanted).first()
        if same is not None:
            raise VersionRefused(_("There is such a version already."))
        version = EmbeddingVersion(**wanted, is_multilingual=embedder.is_multilingual)
        if not is_indexable(version):
            text = _("A search could not be fast: no index holds {count} dimensions.")
            raise VersionRefused(text.format(count=version.dimensions))
        version.save()
        audit.record(Act.EMBEDDING_BEGUN, version, by=by, storage=storage)
        go_on(version, by)
    return version


def go_on(version: EmbeddingVersion, by: User | None = None) -> Job | None:
    """Fill the version further, unless that is under way."""
    if version.state == State.DROPPING:
        raise VersionRefused(_("This version is being dropped."))
    if open_jobs(version, [FILL]):
        return None
    return jobs.enqueue(FILL, {"version_id": version.pk}, by.pk if by else None)


def pause(version: EmbeddingVersion) -> None:
    """Stop filling; what is filled stays."""
    for job in open_jobs(version, [FILL]):
        jobs.request_cancel(job.pk)


def activate(
    version_id: int,
    by: User | None = None,
    chosen_over: str = "",
    *,
    is_forced: bool = False,
) -> EmbeddingVersion:
    """Search by this version from the next question on; the one before is kept, to go back.

    Golden questions are asked of it first: where they lose beyond noise it raises ChangeHeld,
    unless it `is_forced`, which stands in the audit log (`quality.gate`).

    One transaction: it waits for documents that are just being stored with the old version, and
    those that come later are embedded anew. Passages that this version lacks are found by their
    words until the job that is begun here has filled them.
    """
    ready = EmbeddingVersion.objects.filter(pk=version_id, state__in=(State.READY, State.RETIRED))
    if (wanted := ready.first()) is not None:
        gate.check_version(wanted, by, is_forced=is_forced)
    with transaction.atomic():
        rows = EmbeddingVersion.objects.select_for_update().order_by("pk")
        known = {version.pk: version for version in rows}
        version = known.get(version_id)
        if version is None or version.state not in (State.READY, State.RETIRED):
            raise VersionRefused(_("This version is not ready."))
        for other in known.values():
            if other.state == State.ACTIVE:
                EmbeddingVersion.objects.filter(pk=other.pk).update(state=State.RETIRED)
        version.state, version.chosen_over = State.ACTIVE, chosen_over
        version.save(update_fields=["state", "chosen_over"])
        audit.record(Act.EMBEDDING_CHOSEN, version, by=by)
        go_on(version, by)
    return version


def choose(version_id: int, by: User, *, is_forced: bool = False) -> EmbeddingVersion:
    """The same as somebody's decision: the gateway's default is not followed until it changes."""
    return activate(version_id, by, chosen_over=default_model(), is_forced=is_forced)


def stay(held: EmbeddingVersion) -> None:
    """The searched version stays although the gateway's default is `held`'s model: until a person
    decides, or the default changes."""
    EmbeddingVersion.objects.filter(state=State.ACTIVE).update(chosen_over=held.model)


def drop(version_id: int, by: User | None = None) -> None:
    """Remove the version with its vectors and its index, in the background."""
    with transaction.atomic():
        version = EmbeddingVersion.objects.select_for_update().filter(pk=version_id).first()
        if version is None or version.state == State.ACTIVE:
            raise VersionRefused(_("Search uses this version."))
        pause(version)
        EmbeddingVersion.objects.filter(pk=version.pk).update(state=State.DROPPING)
        audit.record(Act.EMBEDDING_DROPPED, version, by=by)
        if not open_jobs(version, [DROP]):
            jobs.enqueue(DROP, {"version_id": version.pk}, by.pk if by else None)


def measure(model: str, by: User | None = None) -> None:
    """Begin to measure what each storage of this model's vectors finds and costs."""
    if model not in list_models():
        raise VersionRefused(_("No enabled endpoint offers the embedding model."))
    if find_measuring(model) is None:
        jobs.enqueue(MEASURE, {"model": model}, by.pk if by else None)


def find_measuring(model: str) -> Job | None:
    """The job that measures this model now."""
    return Job.objects.filter(task=MEASURE, finished_at=None, arguments__model=model).first()


def open_jobs(version: EmbeddingVersion, tasks: Iterable[str]) -> list[Job]:
    found = Job.objects.filter(task__in=list(tasks), finished_at=None)
    return list(found.filter(arguments__version_id=version.pk).order_by("pk"))


def default_model() -> str:
    """What the gateway says to embed with."""
    chosen = Model.objects.filter(kind=Model.Kind.EMBEDDING, is_default=True).first()
    return chosen.name if chosen else LOCAL_NAME


def is_small(most: int) -> bool:
    return Chunk.objects.all()[: most + 1].count() <= most


def missing_of(version: EmbeddingVersion) -> int:
    done, total = count_vectors(version)
    return total - done
