"""What a curator has built by the time of the screenshots: golden questions and five weeks of runs,
weights that were looked for, an approved answer, a glossary, sources of every kind."""

import random
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from knowledge.file_types import OLD_TEXT
from knowledge.glossary.services import put_entry
from knowledge.models import (
    Collection,
    Document,
    GoldenQuestion,
    QualityResult,
    QualityRun,
    QualityTuning,
    Source,
    SyncRun,
)
from knowledge.quality.approved import approve
from knowledge.quality.comparing import compare
from knowledge.quality.judging import Judged, figures_of
from knowledge.quality.services import Expectation, add_question

APPROVED_QUESTION = "How long are raw measurements kept?"
QUOTES = {
    "Data retention": "Raw measurements are kept for ninety days",
    "Release checklist": "going back takes four minutes",
    "Service levels": "Below 99.5 % a tenth of the month's fee is given back",
}
LONG = (
    "After how many days is a customer's data gone from the backups, counted from the day on which "
    "the request was confirmed in writing by the person who is responsible for it?"
)
QUESTIONS = [  # the words, the document that answers them
    (APPROVED_QUESTION, "Data retention"),
    ("原始测量数据保存多久？", "Data retention"),
    ("原始量測資料保存多久？", "Data retention"),
    (LONG, "Data retention"),
    ("How fast can we roll back?", "Release checklist"),
    ("Who reads the change log before a release?", "Release checklist"),
    ("回滚需要多长时间？", "Release checklist"),
    ("What availability do we promise?", "Service levels"),
    ("可用性低於 99.5 % 時退還多少？", "Service levels"),
]  # fmt: skip
ASPECTS = ("in Lisbon", "in Leeds", "in Taipei", "for partners", "over the weekend", "on request")
NOTHING = ("What does the cafeteria serve on Fridays?", "谁负责公司的班车？", "Is there a nursery?")
PROPOSED = (
    ("Which credit follows an availability below 99 %?", "Service levels"),
    ("多少人要先讀過變更紀錄？", "Release checklist"),
)
GLOSSARY = (
    ("annual leave", "vacation", "年假", "特休"),
    ("SLA", "service level", "服务水平", "服務水準"),
    ("rollback", "going back", "回滚", "回復"),
    ("on call", "stand-by duty", "值班"),
)
CAUSES = ("schedule", "content", "content", "weights", "schedule", "embedder", "content", "hand")
SITE = {"address": "https://www.heronbay.example/handbook/", "reach": "site"}
BUCKET = {"address": "https://s3.eu-central-1.amazonaws.com", "bucket": "heron-bay-archive",
          "prefix": "handbook/", "region": "eu-central-1"}  # fmt: skip
SOURCES = (
    ("web", "Handbook on the website", SITE),
    ("git", "Runbooks", {"address": "https://git.heronbay.example/cloud/runbooks.git"}),
    ("feed", "Release news", {"address": "https://www.heronbay.example/releases.xml"}),
    ("s3", "Archive of the old intranet", BUCKET),
    ("api", "Wiki", {}),
)


def make() -> None:
    """Once the documents are indexed: quotes must stand in them."""
    me = User.objects.get(is_superuser=True)
    cloud = Collection.objects.get(name="Measurement cloud")
    _questions(me, cloud)
    _runs(me, cloud)
    _tunings(me, cloud)
    approve(
        me, cloud, APPROVED_QUESTION,
        "Ninety days. Daily averages are kept for ten years [1].",
        wordings=["For how long do we keep raw measurements?", "原始量測資料保存多久？"],
        sources=[_expected(cloud, "Data retention")],
        expires_at=timezone.now() + timedelta(days=120),
    )  # fmt: skip
    for terms in GLOSSARY:
        put_entry(cloud, terms)
    _sources(me, cloud)


def _expected(collection: Collection, title: str) -> Expectation:
    document = Document.objects.get(collection=collection, title=title)
    return Expectation(document.pk, QUOTES[title])


def _questions(me: User, cloud: Collection) -> None:
    several = [(f"{text.rstrip('?')} {aspect}?", title) for aspect in ASPECTS
               for text, title in QUESTIONS if text.isascii() and len(text) < 80]  # fmt: skip
    for text, title in [*several, *QUESTIONS]:
        add_question(me, cloud, text, expected=[_expected(cloud, title)])
    for text in NOTHING:
        add_question(me, cloud, text, must_find_nothing=True, origin="search")
    for text, title in PROPOSED:
        add_question(me, cloud, text, expected=[_expected(cloud, title)], origin="model",
                     is_proposed=True)  # fmt: skip


def _runs(me: User, cloud: Collection) -> None:
    chance = random.Random(11)
    asked = list(GoldenQuestion.objects.filter(collection=cloud, state="accepted"))
    before: QualityRun | None = None
    judged: dict[UUID, Judged] = {}
    for n in range(12):
        was, judged = judged, {one.pk: _judged(chance, one, n) for one in asked}
        told: dict[str, Any] = figures_of(list(judged.values()), [9.0]).as_json()
        if before is not None:
            changes = compare(was, judged)
            told["change"] = {name: change.as_json() for name, change in changes.items()}
        before = QualityRun.objects.create(
            collection=cloud, cause=CAUSES[n % len(CAUSES)], state="done", figures=told,
            questions=len(asked), before=before, asked_by=me,
        )  # fmt: skip
        then = timezone.now() - timedelta(days=3 * (11 - n), hours=2)
        QualityRun.objects.filter(pk=before.pk).update(created_at=then, finished_at=then)
        QualityResult.objects.bulk_create(
            QualityResult(run=before, question_id=pk, rank=one.rank, ndcg=one.ndcg,
                          is_quiet=one.is_quiet, supported=one.supported)
            for pk, one in judged.items()
        )  # fmt: skip


def _judged(chance: random.Random, question: GoldenQuestion, n: int) -> Judged:
    """Better from run to run, until the last one lost a little."""
    if question.must_find_nothing:
        return Judged(is_quiet=chance.random() < 0.7)
    skill = 0.55 + 0.03 * min(n, 10) - (0.35 if n == 11 else 0)
    rank = 1 if chance.random() < skill else chance.choice([2, 3, 6, None])
    return Judged(rank, 1 / rank if rank else 0.0, supported=chance.choice([1.0, 1.0, 0.75]))


def _tunings(me: User, cloud: Collection) -> None:
    script = {
        "was": 0.25, "dense": 0.4, "threshold": 0.31, "lost": 0.021, "false": 0.0,
        "reranked": {"n": 19, "delta": 0.021, "low": -0.004, "high": 0.05}, "rerank_depth": 30,
        "change": {"n": 19, "delta": 0.034, "low": 0.011, "high": 0.062},
    }  # fmt: skip
    figures = {
        "before": 0.871, "after": 0.905, "k1": 1.2, "b": 0.75, "scripts": {"latin": script},
        "change": {"n": 23, "delta": 0.034, "low": 0.009, "high": 0.061},
    }  # fmt: skip
    cjk = script | {"change": {"n": 4, "delta": -0.01, "low": -0.06, "high": 0.03}}
    proposed = {"k1": 0.9, "b": 0.4, "scripts": {"latin": {"dense": 0.4, "threshold": 0.31}}}
    QualityTuning.objects.create(
        collection=cloud, state="failed", asked_by=me,
        reason="The embedding model did not answer. Try again, or ask the administrator.",
    )  # fmt: skip
    QualityTuning.objects.create(
        collection=cloud, state="ready", proposed=proposed, asked_by=me,
        figures=figures | {"scripts": {"latin": script, "cjk": cjk}},
    )  # fmt: skip


def _sources(me: User, cloud: Collection) -> None:
    later = timezone.now() + timedelta(hours=9)
    made = {
        kind: Source.objects.create(
            collection=cloud, kind=kind, name=name, settings=settings, added_by=me,
            schedule="daily", next_run_at=later if kind != "api" else None,
        )
        for kind, name, settings in SOURCES
    }  # fmt: skip
    pages = (
        "leave/",
        "travel/by-train/",
        "a-rather-long-name-of-a-page-about-the-measurement-cloud/",
    )
    for n in range(3):
        SyncRun.objects.create(
            source=made["web"], status="succeeded", is_scheduled=True, added=12 - n, changed=n,
            unchanged=480, removed=n, failed=2,
            sample=[{"item": SITE["address"] + page, "reason": "The page has no text."}
                    for page in pages[1:]],
        )  # fmt: skip
    for n, page in enumerate(pages):
        state = ("present", "failed", "missing")[n]
        made["web"].items.create(
            key=UUID(int=n + 1), external_id=SITE["address"] + page, state=state,
            reason="The page has no text." if state == "failed" else "",
            missing_since=timezone.now() - timedelta(days=2) if state == "missing" else None,
        )  # fmt: skip
    SyncRun.objects.create(
        source=made["git"], status="failed", reason="The repository wants other credentials."
    )
    SyncRun.objects.create(
        source=made["s3"], status="succeeded", is_preview=True, added=211, failed=3,
        sample=[{"item": f"handbook/{name}", "reason": ""} for name in ("leave.pdf", "travel.docx")]
        + [{"item": "handbook/film.doc", "reason": OLD_TEXT}],
    )  # fmt: skip


def rows() -> dict[str, str]:
    """The ids that addresses need."""
    cloud = Collection.objects.get(name="Measurement cloud")
    golden = GoldenQuestion.objects.filter(collection=cloud, state="accepted")
    runs = QualityRun.objects.filter(collection=cloud, state="done")
    sources = Source.objects.filter(collection=cloud)
    return {
        "golden": str(golden.filter(text=APPROVED_QUESTION).values_list("pk", flat=True).get()),
        "run": str(runs.values_list("pk", flat=True)[0]),
        "approved": str(cloud.approved_answers.values_list("pk", flat=True)[0]),
        "plain": str(Collection.objects.get(name="台北辦公室").pk),
        **{f"source-{one.kind}": str(one.pk) for one in sources.exclude(kind="upload")},
    }
