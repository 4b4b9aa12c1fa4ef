"""Better weights for one collection, chosen by some of its questions and proven on the others.

Questions are dealt into two halves by their ids. By the first, k1 and b are chosen for the
collection, and for each script the share of vectors; on the second, which nothing was chosen by,
the gain is told with its interval (`comparing`). A person applies what is proposed, or does not.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from events import jobs
from knowledge import tuned
from knowledge.bm25 import Shape
from knowledge.models import Collection, QualityTuning, SearchWeights
from knowledge.quality import gate
from knowledge.quality.asking import asker_of, counted_of
from knowledge.quality.collecting import collect
from knowledge.quality.comparing import Change, paired_bootstrap
from knowledge.quality.depths import choose_depths, read_all
from knowledge.quality.errors import ChangeHeld, QuestionRefused
from knowledge.quality.fingerprints import settings_of
from knowledge.quality.services import require_editor
from knowledge.quality.weighing import (
    Index,
    Labelled,
    read_index,
)
from knowledge.retrieval.thresholds import calibrate
from knowledge.versions import find_active_version
from security import audit
from security.acts import Act

TUNE = "knowledge.quality.jobs.tune_search"
WEIGH = "knowledge.quality.jobs.weigh_anew"
FEWEST_NOTHING = 5  # questions that must find nothing, before a threshold is chosen by them
FEWEST = 10  # questions that expect something; fewer prove nothing
SHARES = tuple(n / 10 for n in range(11))
SHAPES = tuple(Shape(k1, b) for k1 in (0.6, 0.9, 1.2, 1.6, 2.0) for b in (0.3, 0.5, 0.75, 0.9))
State = QualityTuning.State
OPEN = (State.WAITING, State.RUNNING)


def start_tuning(collection: Collection, by: User) -> QualityTuning:
    """In the background; one that waits already is that one. Raises QuestionRefused."""
    require_editor(by, collection.pk)
    expecting = [one for one in counted_of(collection) if not one.must_find_nothing]
    if len(expecting) < FEWEST:
        raise QuestionRefused(
            _("Tuning needs %(count)d accepted questions that expect passages; there are %(n)d.")
            % {"count": FEWEST, "n": len(expecting)}
        )
    with transaction.atomic():
        Collection.objects.select_for_update(no_key=True).get(pk=collection.pk)
        same = QualityTuning.objects.filter(collection=collection, state__in=OPEN).first()
        if same is not None:
            return same  # type: ignore[no-any-return]
        made: QualityTuning = QualityTuning.objects.create(collection=collection, asked_by=by)
        job = jobs.enqueue(TUNE, {"tuning_id": str(made.pk)}, by.pk, collection.pk)
        made.job_id = job.pk
        made.save(update_fields=["job_id"])
    return made


def carry_out(
    tuning: QualityTuning, report: Callable[[int, int], None] = lambda _done, _total: None
) -> None:
    """Raises what search raises, and NobodyReads."""
    collection = tuning.collection
    QualityTuning.objects.filter(pk=tuning.pk).update(state=State.RUNNING)
    tuning.settings, embedder = settings_of(collection), find_active_version().model
    index, user = read_index(collection), asker_of(collection, tuning.asked_by)
    known = collect(collection, index, user, report)
    proposed, figures = find_better(known, index)
    expecting = [one for one in counted_of(collection) if not one.must_find_nothing]
    shares = {script: values["dense"] for script, values in proposed["scripts"].items()}
    read = read_all(collection, expecting, user, shares, report)
    for script, values in choose_depths(read, is_held_out).items():
        proposed["scripts"][script]["rerank_depth"] = values["rerank_depth"]
        figures["scripts"][script] |= values
    for values in proposed["scripts"].values():
        values["embedder"] = embedder
    tuning.proposed, tuning.figures, tuning.state = proposed, figures, State.READY
    tuning.save()


def find_better(
    everything: Sequence[Labelled], index: Index
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is proposed, and what it gains on the questions it was not chosen by. Pure.

    Those that want nothing choose nothing but the threshold of their script.
    """
    known = [one for one in everything if one.wanted]
    training = [one for one in known if not is_held_out(one.question_id)]
    held = [one for one in known if is_held_out(one.question_id)]
    shape, shares = _best(training, index)
    usual = {one.script: one.usual for one in known}
    scripts = {
        script: {
            "dense": shares.get(script, usual[script]),
            "was": usual[script],
            **_told([one for one in held if one.script == script], index, shape, shares),
            **_threshold([one for one in everything if one.script == script], shares),
        }
        for script in sorted(usual)
    }
    proposed = {
        "k1": shape.k1,
        "b": shape.b,
        "scripts": {
            script: {"dense": one["dense"], "threshold": one["threshold"]}
            for script, one in scripts.items()
        },
    }
    figures = {
        "training": len(training),
        "k1": index.shape.k1,
        "b": index.shape.b,
        "scripts": scripts,
        **_told(held, index, shape, shares),
    }
    return proposed, figures


def is_held_out(question_id: UUID) -> bool:
    """The same half of the questions every time, whichever others there are."""
    return hashlib.sha256(question_id.bytes).digest()[0] % 2 == 1


def _best(training: Sequence[Labelled], index: Index) -> tuple[Shape, dict[str, float]]:
    """Today's weights win where nothing is better."""
    scripts = sorted({one.script for one in training})
    today = {one.script: one.usual for one in training}
    best, chosen = -1.0, (index.shape, today)
    for shape in sorted(SHAPES, key=lambda one: one != index.shape):
        shares, total = {}, 0.0
        for script in scripts:
            of_script = [one for one in training if one.script == script]
            # The nearest to today's first, which a tie leaves as it is.
            ordered = sorted({*SHARES, today[script]}, key=lambda share: abs(share - today[script]))
            sums = {
                share: sum(one.ndcg(index, shape, share) for one in of_script) for share in ordered
            }
            shares[script] = max(ordered, key=lambda share: round(sums[share], 9))
            total += sums[shares[script]]
        if round(total, 9) > best:
            best, chosen = round(total, 9), (shape, shares)
    return chosen


def _threshold(asked: Sequence[Labelled], shares: dict[str, float]) -> dict[str, Any]:
    """From the questions of one script that choose; the house's own where few of them want nothing.
    `lost` and `false` are told on the others: the share of questions that would lose their
    passages, and of those that would find something although they must not."""
    alike = [(one, one.likeness(shares.get(one.script, one.usual))) for one in asked]
    training = [pair for pair in alike if not is_held_out(pair[0].question_id)]
    own = [value for one, value in training if one.wanted]
    others = [value for one, value in training if not one.wanted]
    if len(others) < FEWEST_NOTHING or not own:
        return {"threshold": None}
    least = calibrate(own, others).threshold
    held = [pair for pair in alike if is_held_out(pair[0].question_id)]
    return {
        "threshold": least,
        "lost": _share([value < least for one, value in held if one.wanted]),
        "false": _share([value >= least for one, value in held if not one.wanted]),
    }


def _share(said: Sequence[bool]) -> float | None:
    return round(sum(said) / len(said), 4) if said else None


def _told(
    held: Sequence[Labelled], index: Index, shape: Shape, shares: dict[str, float]
) -> dict[str, Any]:
    """nDCG before and after, and the interval of the difference."""
    before = [one.ndcg(index, index.shape, one.usual) for one in held]
    after = [one.ndcg(index, shape, shares.get(one.script, one.usual)) for one in held]
    change = paired_bootstrap([b - a for a, b in zip(before, after, strict=True)])
    count = len(held) or 1
    return {
        "before": round(sum(before) / count, 4),
        "after": round(sum(after) / count, 4),
        "change": change.as_json(),
    }


def apply_tuning(user: User, tuning: QualityTuning, *, is_forced: bool = False) -> QualityTuning:
    """Search the collection so from now on. Raises QuestionRefused, ChangeHeld where it loses on
    the questions it was not chosen by, or where what it was measured on has changed."""
    require_editor(user, tuning.collection_id)
    with transaction.atomic():
        Collection.objects.select_for_update(no_key=True).get(pk=tuning.collection_id)
        tuning.refresh_from_db()
        if tuning.state not in (State.READY, State.REVERTED):
            raise QuestionRefused(_("These weights cannot be applied now."))
    change = Change.parse(tuning.figures["change"])
    losses = [gate.Loss(tuning.collection, "ndcg", change)] if change.loses else []
    gate.judge(losses, tuning.collection, user, is_forced=is_forced)
    if not is_forced and _is_stale(tuning):
        raise ChangeHeld(
            _("Documents, questions or weights have changed since this was measured. Tune again.")
        )
    with transaction.atomic():
        tuning.replaced = _current(tuning.collection)
        _write(tuning.collection, tuning.proposed, user)
        tuning.state, tuning.applied_by, tuning.applied_at = State.APPLIED, user, timezone.now()
        tuning.save()
        others = QualityTuning.objects.filter(collection=tuning.collection, state=State.APPLIED)
        others.exclude(pk=tuning.pk).update(state=State.REVERTED)
        _record(Act.WEIGHTS_APPLIED, tuning, tuning.proposed, user)
    return tuning


def revert_tuning(user: User, tuning: QualityTuning) -> QualityTuning:
    """Search as before it was applied."""
    require_editor(user, tuning.collection_id)
    with transaction.atomic():
        Collection.objects.select_for_update(no_key=True).get(pk=tuning.collection_id)
        tuning.refresh_from_db()
        if tuning.state != State.APPLIED:
            raise QuestionRefused(_("These weights are not applied."))
        _write(tuning.collection, tuning.replaced, user)
        tuning.state = State.REVERTED
        tuning.save(update_fields=["state"])
        _record(Act.WEIGHTS_REVERTED, tuning, tuning.replaced, user)
    return tuning


def fail_tuning(job_id: UUID, reason: str) -> None:
    QualityTuning.objects.filter(job_id=job_id, state__in=OPEN).update(
        state=State.FAILED, reason=reason
    )


def _record(act: Act, tuning: QualityTuning, weights: dict[str, Any], by: User) -> None:
    shape = [f"k1={weights['k1']}", f"b={weights['b']}"]
    shares = [
        f"{script}: " + " ".join(f"{name}={value}" for name, value in sorted(values.items()))
        for script, values in weights["scripts"].items()
    ]
    target = tuning.collection
    audit.record(act, target, by=by, tuning=str(tuning.pk), weights=[*shape, *shares])


def is_of_another_model(collection: Collection) -> bool:
    """Whether what is applied was measured with vectors that are not searched any more."""
    here = ["", find_active_version().model]
    rows = SearchWeights.objects.filter(collection=collection).exclude(embedder__in=here)
    return bool(rows.exclude(dense=None, threshold=None).exists())


def _is_stale(tuning: QualityTuning) -> bool:
    return bool(tuning.settings != settings_of(tuning.collection))


def _current(collection: Collection) -> dict[str, Any]:
    shape = read_index(collection).shape
    rows = SearchWeights.objects.filter(collection=collection)
    return {
        "k1": shape.k1,
        "b": shape.b,
        "scripts": {
            row.script: {
                "dense": row.dense,
                "threshold": row.threshold,
                "rerank_depth": row.rerank_depth,
                "embedder": row.embedder,
            }
            for row in rows
        },
    }


def _write(collection: Collection, weights: dict[str, Any], by: User) -> None:
    """Rows at once; the passages are weighed by a job, where k1 or b are others."""
    SearchWeights.objects.filter(collection=collection).delete()
    SearchWeights.objects.bulk_create(
        SearchWeights(collection=collection, script=script, **values)
        for script, values in weights["scripts"].items()
    )
    shape = Shape(weights["k1"], weights["b"])
    if shape != read_index(collection).shape:
        arguments = {"collection_id": str(collection.pk), "k1": shape.k1, "b": shape.b}
        jobs.enqueue(WEIGH, arguments, by.pk, collection.pk)
    transaction.on_commit(tuned.forget)
