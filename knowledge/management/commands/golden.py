import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.db.models import Exists, OuterRef

from accounts.models import User
from gateway.embedding.embedder import EmbedderUnavailable
from gateway.errors import GatewayError
from gateway.labels import LabelUnmet
from knowledge.file_names import printable
from knowledge.management.commands.ingest import NOT_RUNNING, find_person
from knowledge.models import Collection, GoldenQuestion, QualityRun
from knowledge.quality import running
from knowledge.quality.asking import NobodyReads
from knowledge.switches import Switch

MEASURES = ("ndcg", "mrr", "hit_1", "hit_5", "hit_10", "quiet", "supported")
SHOWN = {
    "ndcg": "nDCG@10", "mrr": "MRR", "hit_1": "hit@1", "hit_5": "hit@5", "hit_10": "hit@10",
    "quiet": "found nothing", "supported": "supported",
}  # fmt: skip


class Command(BaseCommand):
    help = (
        "Asks the golden questions of collections and says how well they do. The exit status is 1 "
        "where a figure is below what --fail-below demands or, with --fail-on-loss, where the "
        "collection does worse than in the run before, beyond noise."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--collection", metavar="NAME", help="this one alone; a name or an id")
        parser.add_argument(
            "--fail-below", metavar="LIMIT", action="append", default=[],
            help="a number, for nDCG@10, or measure=number: " + ", ".join(MEASURES),
        )  # fmt: skip
        parser.add_argument("--fail-on-loss", action="store_true", help="worse than the run before")
        parser.add_argument("--answers", action="store_true", help="ask the model too")
        parser.add_argument(
            "--with", dest="ways", metavar="WAY", action="append", choices=list(Switch),
            help="understand questions in this way instead of as the collection says, without "
            "switching it on: " + ", ".join(Switch),
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="write JSON")
        parser.add_argument(
            "--as", dest="email", metavar="EMAIL", help="who asks (the first administrator)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        limits = [_limit(said) for said in options["fail_below"]]
        try:
            user = find_person(options["email"])
            found = [self._ask(one, user, options) for one in _collections(options["collection"])]
        except OperationalError as error:
            raise CommandError(NOT_RUNNING) from error
        failures = [
            problem
            for run in found
            for problem in _failures(run, limits, on_loss=options["fail_on_loss"])
        ]
        if options["json"]:
            runs = [_as_json(run) for run in found]
            self.stdout.write(json.dumps({"runs": runs, "failures": failures}, ensure_ascii=False))
        else:
            for run in found:
                self._tell(run)
            for failure in failures:
                self.stderr.write(self.style.ERROR(failure))
        if failures:
            raise SystemExit(1)

    def _ask(self, collection: Collection, user: User, options: dict[str, Any]) -> QualityRun:
        answers = True if options["answers"] else None
        ways = frozenset(map(Switch, options["ways"])) if options["ways"] else None
        cause = running.Cause.GATE if ways else running.Cause.COMMAND
        run = running.make_run(collection, cause, user, asks_answers=answers, ways=ways)
        try:
            return running.carry_out(run)
        except NobodyReads as error:
            running.fail_run(run, "")
            raise CommandError(
                f"Nobody who is active may read “{printable(collection.name)}”."
            ) from error
        except (EmbedderUnavailable, GatewayError, LabelUnmet) as error:
            running.fail_run(run, str(error))
            raise CommandError(str(error)) from error

    def _tell(self, run: QualityRun) -> None:
        figures = [
            f"{SHOWN[name]} {run.figures[name]:.3f}"
            for name in MEASURES
            if run.figures.get(name) is not None
        ]
        name = printable(run.collection.name)
        self.stdout.write(f"{name}: {run.questions} questions, {', '.join(figures)}")
        for measure, change in running.changes_of(run).items():
            self.stdout.write(
                f"  {SHOWN[measure]} {change.delta:+.3f} [{change.low:+.3f}, {change.high:+.3f}]"
                f" against the run before, {change.n} questions"
            )


def _collections(named: str | None) -> list[Collection]:
    """Those with questions that count; raises CommandError where there are none."""
    counted = GoldenQuestion.objects.counted().filter(collection=OuterRef("pk"))
    rows = Collection.objects.filter(Exists(counted), is_shelf=False).order_by("name", "pk")
    found = list(rows.select_related("owner"))
    if named is not None:
        found = [one for one in found if named in {one.name, str(one.pk)}]
    if not found:
        what = f"in “{printable(named)}” " if named is not None else ""
        raise CommandError(f"There are no golden questions {what}that count.")
    return found


def _limit(said: str) -> tuple[str, float]:
    name, mark, number = said.rpartition("=")
    name = name if mark else "ndcg"
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if name not in MEASURES or not 0 <= value <= 1:
        raise CommandError(f"--fail-below {said}: say a number from 0 to 1, or measure=number.")
    return name, value


def _failures(run: QualityRun, limits: list[tuple[str, float]], *, on_loss: bool) -> list[str]:
    """What was demanded and is not so; a figure that there is none of demands nothing."""
    name = run.collection.name
    low = [
        f"{name}: {SHOWN[measure]} is {run.figures[measure]:.3f}, below {limit:.3f}"
        for measure, limit in limits
        if run.figures.get(measure) is not None and run.figures[measure] < limit
    ]
    if on_loss:
        losses = (pair for pair in running.changes_of(run).items() if pair[1].loses)
        low += [f"{name}: {SHOWN[measure]} lost {-one.delta:.3f}" for measure, one in losses]
    return low


def _as_json(run: QualityRun) -> dict[str, Any]:
    return {
        "collection": run.collection.name,
        "collection_id": str(run.collection_id),
        "run": str(run.pk),
        "questions": run.questions,
        "figures": run.figures,
    }
