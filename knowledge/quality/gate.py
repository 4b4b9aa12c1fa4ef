"""What a change would do to golden questions, asked before it is made.

A change that loses beyond noise is held: `ChangeHeld` says where and how much. Whoever wants it
nevertheless says so (`is_forced`), which stands in the audit log with the same figures.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.models import User
from gateway.embedding.embedder import EmbedderUnavailable
from gateway.errors import GatewayError
from gateway.labels import LabelUnmet
from knowledge.models import Collection, EmbeddingVersion, GoldenQuestion, QualityRun
from knowledge.quality import running
from knowledge.quality.asking import NobodyReads, asker_of, counted_of
from knowledge.quality.comparing import Change, compare
from knowledge.quality.depths import MOST_TROUBLE
from knowledge.quality.errors import ChangeHeld
from knowledge.quality.fingerprints import settings_of, ways_of
from knowledge.switches import Switch, beyond_usual
from knowledge.versions import find_active_version
from security import audit
from security.acts import Act

AWAY = (GatewayError, EmbedderUnavailable, LabelUnmet)


@dataclass(frozen=True, slots=True)
class Loss:
    """A measure of a collection that becomes worse."""

    collection: Collection
    measure: str
    change: Change

    def __str__(self) -> str:
        said = {
            "ndcg": _("the right passages stand lower"),
            "quiet": _("more is found where nothing is"),
            "supported": _("fewer sentences have a source"),
        }[self.measure]
        text = _("“%(name)s”: %(what)s (%(delta)s, between %(low)s and %(high)s; %(n)d questions)")
        return text % {"name": self.collection.name, "what": said, **figures_of(self.change)}


def check_version(
    version: EmbeddingVersion, by: User | None = None, *, is_forced: bool = False
) -> None:
    """Ask every collection's golden questions of this version and of the searched one.

    What was asked before and is still true is not asked again. Raises ChangeHeld, also where there
    are so many questions that a job asks them first, and where `version` does not answer.
    """
    active = find_active_version()
    if active.pk == version.pk:
        return
    found = [one for one in _asking_collections() if _is_read(one, by)]
    missing = [
        (collection, one)
        for collection in found
        for one in (active, version)
        if _known(collection, one) is None
    ]
    if _count(missing) > settings.PARLEY_GOLDEN_AT_ONCE:
        if is_forced:  # nobody waits for what they do not want to know
            audit.record(Act.GATE_OVERRIDDEN, version, by=by, losses=["not asked"])
            return
        for collection, one in missing:
            running.start_run(collection, running.Cause.GATE, by, asks_answers=False, version=one)
        raise ChangeHeld(
            _("The golden questions are being asked of both versions. Try again when that is done.")
        )
    losses = [
        loss
        for collection in found
        if (before := _before(collection, active, by)) is not None
        for loss in losses_of(collection, before, _after(collection, version, by))
    ]
    judge(losses, version, by, is_forced=is_forced)


def check_switches(
    collection: Collection, said: Mapping[str, bool], by: User, *, is_forced: bool = False
) -> dict[str, Change]:
    """What it changes for the collection's golden questions if it says this of the ways in which
    questions are understood: asked of them before it is switched on.

    A job asks them, since a model may write or rerank for each; whoever reranks is a part of what
    was asked, and one that mostly did not answer tells nothing. Nothing is asked where nothing is
    newly switched on, or there is nothing to ask. Raises ChangeHeld until they were asked, and
    where they lose.
    """
    now, then = ways_of(collection), beyond_usual(said)
    if then <= now or not counted_of(collection) or not _is_read(collection, by):
        return {}
    active = find_active_version()
    before, after = (_known(collection, active, ways) for ways in (now, then))
    if after is not None and _went_unranked(after) and not is_forced:
        running.start_run(collection, running.Cause.GATE, by, asks_answers=False, ways=then)
        raise ChangeHeld(
            _("The reranker did not answer. The questions are being asked again: save after that.")
        )
    if before is None or after is None:
        if is_forced:  # nobody waits for what they do not want to know
            audit.record(Act.GATE_OVERRIDDEN, collection, by=by, losses=["not asked"])
            return {}
        for ways, known in ((now, before), (then, after)):
            if known is None:
                running.start_run(collection, running.Cause.GATE, by, asks_answers=False, ways=ways)
        raise ChangeHeld(
            _("The golden questions are being asked with this and without. Save again after that.")
        )
    changes = compare(running.results_of(before), running.results_of(after))
    judge(_losses(collection, changes), collection, by, is_forced=is_forced)
    return changes


def losses_of(collection: Collection, before: QualityRun, after: QualityRun) -> list[Loss]:
    return _losses(collection, compare(running.results_of(before), running.results_of(after)))


def _losses(collection: Collection, changes: Mapping[str, Change]) -> list[Loss]:
    return [Loss(collection, name, change) for name, change in changes.items() if change.loses]


def judge(losses: Iterable[Loss], target: Any, by: User | None, *, is_forced: bool) -> None:
    """Let the change of `target` pass, or not; either is in the audit log where anything loses."""
    found = list(losses)
    if not found:
        return
    kept = [
        f"{loss.collection.pk} {loss.measure} {loss.change.delta:+.4f}"
        f" [{loss.change.low:+.4f}, {loss.change.high:+.4f}] n={loss.change.n}"
        for loss in found
    ]
    audit.record(Act.GATE_OVERRIDDEN if is_forced else Act.GATE_HELD, target, by=by, losses=kept)
    if not is_forced:
        raise ChangeHeld(
            _("Golden questions lose beyond noise: %s") % "; ".join(str(loss) for loss in found)
        )


def _asking_collections() -> Iterable[Collection]:
    counted = GoldenQuestion.objects.counted().filter(collection=OuterRef("pk"))
    rows: QuerySet[Collection] = Collection.objects.filter(Exists(counted), is_shelf=False)
    return rows.select_related("owner").order_by("pk")


def _is_read(collection: Collection, by: User | None) -> bool:
    """What nobody can search becomes no worse for anybody."""
    try:
        asker_of(collection, by)
    except NobodyReads:
        return False
    return True


def _went_unranked(run: QualityRun) -> bool:
    return bool(run.figures.get(running.UNRANKED, 0) > MOST_TROUBLE * run.questions)


def _count(missing: Iterable[tuple[Collection, EmbeddingVersion]]) -> int:
    return sum(
        GoldenQuestion.objects.counted().filter(collection=collection).count()
        for collection, _version in missing
    )


def _known(
    collection: Collection, version: EmbeddingVersion, ways: frozenset[Switch] = frozenset()
) -> QualityRun | None:
    """A run of this version, understood in these ways, in which everything else was as it is
    now."""
    wanted = settings_of(collection, version, ways)
    done = QualityRun.objects.filter(
        collection=collection, version=version, state=running.State.DONE, settings=wanted
    )
    found: QualityRun | None = done.first()
    return found


def _before(collection: Collection, active: EmbeddingVersion, by: User | None) -> QualityRun | None:
    """Where the searched version does not answer any more, that is no reason to keep it: then what
    it found last is what counts."""
    try:
        return _asked(collection, active, by)
    except AWAY:
        return running.latest_run(collection)


def _after(collection: Collection, version: EmbeddingVersion, by: User | None) -> QualityRun:
    try:
        return _asked(collection, version, by)
    except AWAY as error:
        raise ChangeHeld(_("The golden questions could not be asked: %s") % error) from error


def _asked(collection: Collection, version: EmbeddingVersion, by: User | None) -> QualityRun:
    known = _known(collection, version)
    if known is not None:
        return known
    run = running.make_run(collection, running.Cause.GATE, by, asks_answers=False, version=version)
    try:
        return running.carry_out(run)
    except Exception:
        running.fail_run(run, "")
        raise


def figures_of(change: Change) -> dict[str, str | int]:
    """As they are said to people."""
    return {
        "delta": _signed(change.delta),
        "low": _signed(change.low),
        "high": _signed(change.high),
        "n": change.n,
    }


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + str(number_format(round(value, 3)))
