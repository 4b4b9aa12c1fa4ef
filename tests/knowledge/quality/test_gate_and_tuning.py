"""A change that loses is held, an override is logged; weights are proposed, applied, taken back."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from events import jobs
from events.models import Job
from knowledge import tuned
from knowledge.bm25 import Shape
from knowledge.embeddings import versions
from knowledge.glossary.services import put_entry
from knowledge.models import Embedding, EmbeddingVersion, QualityRun, QualityTuning, SearchWeights
from knowledge.quality import tuning
from knowledge.quality.asking import ask_all, counted_of
from knowledge.quality.collecting import collect
from knowledge.quality.depths import Read, choose_depths, read_all
from knowledge.quality.errors import ChangeHeld, QuestionRefused
from knowledge.quality.judging import Given, Wanted
from knowledge.quality.services import Expectation, add_question
from knowledge.quality.weighing import Candidate, Index, Labelled, read_index
from knowledge.retrieval import search
from knowledge.versions import find_active_version
from security.models import AuditEntry
from tests.knowledge.test_reranking import make_cross_encoder

pytestmark = pytest.mark.django_db
ANIMALS = "otter heron badger lynx marten kestrel adder newt stoat shrew vole finch"


@pytest.fixture
def zoo(alice, handbook, add_text):
    """Twelve animals in two documents; each is asked for in other words but for its name."""
    animals = ANIMALS.split()
    for n, half in enumerate((animals[:6], animals[6:])):
        told = [f"## {one.title()}\n\nThe {one} sleeps in house {one[::-1]}." for one in half]
        document = add_text(handbook, f"# Part {n}\n\n" + "\n\n".join(told), f"part-{n}.md")
        for one in half:
            quote = f"The {one} sleeps in house {one[::-1]}."
            add_question(
                alice, handbook, f"Where does the {one} stay at night?",
                expected=[Expectation(document.pk, quote)],
            )  # fmt: skip
    tuned.forget()
    return handbook


def labelled(n, *, lexical_rank, dense_rank, script="latin"):
    """A question whose passage stands so in the two legs, among nine others."""
    pk, document = UUID(int=n), uuid4()
    terms = {1: 1.0}
    candidates = [
        Candidate(
            uuid4(),
            Given(document if i == 0 else uuid4(), "x"),
            40,
            {1: 2.0 - 0.1 * (lexical_rank if i == 0 else i + (i >= lexical_rank))},
            1.0 - 0.05 * (dense_rank if i == 0 else i + (i >= dense_rank)),
        )
        for i in range(10)
    ]
    return Labelled(pk, script, 0.5, [Wanted(document)], candidates, terms)


def test_the_better_leg_is_chosen_for_each_script_and_proven_on_others():
    index = Index(1000, 40.0, Shape())
    known = [labelled(n, lexical_rank=9, dense_rank=1) for n in range(1, 60)]
    known += [labelled(n, lexical_rank=1, dense_rank=9, script="cjk") for n in range(100, 160)]
    proposed, figures = tuning.find_better(known, index)
    assert proposed["scripts"]["latin"]["dense"] > 0.5
    assert proposed["scripts"]["cjk"]["dense"] < 0.5
    assert figures["change"]["low"] > 0  # on the half that nothing was chosen by
    held = sum(tuning.is_held_out(one.question_id) for one in known)
    assert figures["training"] + held == len(known)
    assert figures["change"]["n"] == held
    assert tuning.find_better(known, index) == (proposed, figures)


def test_where_nothing_is_better_everything_stays():
    index = Index(1000, 40.0, Shape(1.6, 0.5))
    proposed, figures = tuning.find_better(
        [labelled(n, lexical_rank=1, dense_rank=1) for n in range(1, 40)], index
    )
    assert proposed == {
        "k1": 1.6,
        "b": 0.5,
        "scripts": {"latin": {"dense": 0.5, "threshold": None}},
    }
    assert figures["change"]["delta"] == 0


def test_a_threshold_is_chosen_where_enough_questions_want_nothing():
    index = Index(1000, 40.0, Shape())
    asked = [labelled(n, lexical_rank=1, dense_rank=1) for n in range(1, 40)]
    known = [replace(one, candidates=[alike(0.7)], usual=0.0) for one in asked]
    nothing = [replace(one, question_id=UUID(int=n + 500), wanted=[], candidates=[alike(0.2)])
               for n, one in enumerate(known)]  # fmt: skip
    proposed, figures = tuning.find_better([*known, *nothing], index)
    assert 0.2 < proposed["scripts"]["latin"]["threshold"] <= 0.7
    assert (figures["scripts"]["latin"]["lost"], figures["scripts"]["latin"]["false"]) == (0, 0)


def read(n, *, fused, places):
    document = uuid4()
    given = [Given(document if i == fused else uuid4(), "x") for i in range(40)]
    return Read(UUID(int=n), "latin", [Wanted(document)], given, places)


def test_the_smallest_depth_that_pays_is_chosen():
    """The right one is fused at place 15; the reranker puts it first, and deeper is no better."""
    places = [1 + i if i != 14 else 0 for i in range(40)]
    found = [read(n, fused=14, places=places) for n in range(1, 60)]
    chosen = choose_depths(found, tuning.is_held_out)["latin"]
    assert chosen["rerank_depth"] == 20
    assert chosen["reranked"]["low"] > 0
    worse = [read(n, fused=0, places=list(range(40, 0, -1))) for n in range(1, 60)]
    assert choose_depths(worse, tuning.is_held_out)["latin"]["rerank_depth"] == 0
    assert choose_depths([], tuning.is_held_out) == {}


def alike(covered):
    return Candidate(uuid4(), Given(uuid4(), "x"), 40, {1: 1.0}, 0.0, covered)


def test_weights_are_applied_by_a_person_and_taken_back(alice, zoo):
    with pytest.raises(QuestionRefused):
        tuning.apply_tuning(alice, QualityTuning.objects.create(collection=zoo))
    QualityTuning.objects.all().delete()
    found = tuning.start_tuning(zoo, alice)
    jobs.run(str(found.job_id))
    found.refresh_from_db()
    assert (found.state, found.reason) == ("ready", "")
    assert not SearchWeights.objects.exists()  # never by itself
    assert found.proposed["scripts"]["latin"]["embedder"] == find_active_version().model
    found.proposed = {"k1": 0.9, "b": 0.3, "scripts": {"latin": {"dense": 0.2, "threshold": None}}}
    found.save()
    question = "Where does the otter stay at night?"
    before = search(alice, question, [zoo.pk])
    assert before.alpha == 0.5
    tuning.apply_tuning(alice, found)
    tuned.forget()  # as after the commit
    jobs.run(str(Job.objects.get(task=tuning.WEIGH).pk))
    assert read_index(zoo).shape == Shape(0.9, 0.3)
    after = search(alice, question, [zoo.pk])
    assert after.alpha == 0.2
    assert (
        after.passages[0].ranks["lexical"]["score"] != before.passages[0].ranks["lexical"]["score"]
    )
    assert search(alice, question).alpha == 0.5  # over all that she may see, as the house does it
    tuning.revert_tuning(alice, found)
    tuned.forget()
    for job in Job.objects.filter(task=tuning.WEIGH, finished_at=None):
        jobs.run(str(job.pk))
    again = search(alice, question, [zoo.pk])
    assert again.alpha == 0.5
    assert [p.score for p in again.passages] == pytest.approx(
        [p.score for p in before.passages], 1e-4
    )
    acts = list(AuditEntry.objects.values_list("act", flat=True))
    assert {"weights.applied", "weights.reverted"} <= set(acts)


def test_tuning_searches_in_the_glossary_s_other_words_as_everybody_does(alice, zoo):
    """What it computes for today's weights is what a search finds, question by question."""
    for question in list(zoo.golden_questions.all()):
        name = question.text.split()[3]
        question.text = f"Where does {name[:3]}gadget nap?"  # stands in no passage
        question.key = question.text
        question.save()
        put_entry(zoo, [f"{name[:3]}gadget", name])
        put_entry(zoo, ["nap", "sleeps in house", "小睡"])
    index = read_index(zoo)
    known = collect(zoo, index, alice, lambda _done, _total: None)
    assert all({"latin", "cjk"} == {one.script for one in each.also} for each in known)
    computed = {one.question_id: one.ndcg(index, index.shape, one.usual) for one in known}
    found = {one.question.pk: one.judged.ndcg for one in ask_all(zoo, counted_of(zoo), alice)}
    assert computed == pytest.approx(found, abs=1e-6)
    assert min(found.values()) > 0
    zoo.understanding = {"glossary": False}
    zoo.save()
    plain = collect(zoo, index, alice, lambda _done, _total: None)
    assert not any(one.also for one in plain)
    lost = [one.ndcg(index, index.shape, one.usual) for one in plain]
    assert sum(lost) < sum(found.values())


def test_the_depth_of_reranking_is_looked_for_among_what_everybody_finds(
    alice, zoo, settings, tmp_path
):
    make_cross_encoder(tmp_path)
    settings.PARLEY_CROSS_ENCODER = str(tmp_path)
    question = counted_of(zoo)[0]
    question.text = "Zzgadget?"
    put_entry(zoo, ["zzgadget", "otter sleeps in house"])
    (read,) = read_all(zoo, [question], alice, {"latin": 0.0}, lambda _done, _total: None)
    assert any("otter" in one.text for one in read.fused)
    zoo.understanding = {"glossary": False}
    assert not read_all(zoo, [question], alice, {"latin": 0.0}, lambda _done, _total: None)[0].fused


def test_weights_that_lose_on_other_questions_need_a_word(alice, bob, zoo):
    figures = {"change": {"n": 30, "delta": -0.2, "low": -0.3, "high": -0.1}}
    found = QualityTuning.objects.create(
        collection=zoo, state="ready", figures=figures,
        proposed={"k1": 1.2, "b": 0.75, "scripts": {"latin": {"dense": 1.0, "threshold": None}}},
    )  # fmt: skip
    with pytest.raises(ChangeHeld, match="Handbook"):
        tuning.apply_tuning(alice, found)
    assert not SearchWeights.objects.exists()
    assert AuditEntry.objects.filter(act="gate.held").exists()
    tuning.apply_tuning(alice, found, is_forced=True)
    assert SearchWeights.objects.get().dense == 1.0
    entry = AuditEntry.objects.get(act="gate.overridden")
    assert "ndcg -0.2000 [-0.3000, -0.1000] n=30" in str(entry.detail)


def test_weights_of_one_embedder_say_nothing_of_another(alice, client, zoo):
    """Another model's vectors lie nearer or farther: a threshold of before could find nothing."""
    weights = SearchWeights.objects.create(
        collection=zoo, script="latin", dense=0.2, threshold=0.99, rerank_depth=7,
        embedder=find_active_version().model,
    )  # fmt: skip
    question, page = "Where does the otter stay at night?", f"/knowledge/{zoo.pk}/quality/tuning/"
    client.force_login(alice)

    def asked():
        tuned.forget()
        found = search(alice, question, [zoo.pk], only_alike=True)
        return found.alpha, bool(found.passages), tuned.rerank_depth_of([zoo.pk], question)

    assert asked() == (0.2, False, 7)
    assert "another embedding model" not in client.get(page).content.decode()
    weights.embedder = "far"
    weights.save()
    assert asked() == (0.5, True, 7)
    assert "another embedding model" in client.get(page).content.decode()


@pytest.fixture
def worse(zoo, alice):
    """A version that is ready and whose vectors lead astray: those of the passages, turned round
    among themselves."""
    active = find_active_version()
    version = EmbeddingVersion.objects.create(
        model=active.model, dimensions=384, storage="float", state="ready"
    )
    rows = list(Embedding.objects.filter(version=active).order_by("pk"))
    vectors = [row.vector for row in rows]
    for row, vector in zip(rows, vectors[1:] + vectors[:1], strict=True):
        Embedding.objects.create(
            chunk=row.chunk, version=version, collection=zoo, script=row.script,
            precise=vector,
        )  # fmt: skip
    # Vectors alone, so that what they find is what is found.
    SearchWeights.objects.create(collection=zoo, script="latin", dense=1.0)
    tuned.forget()
    return version


def test_a_worse_embedding_version_is_held_and_an_override_is_logged(alice, worse, zoo):
    active = find_active_version()
    with pytest.raises(ChangeHeld, match="the right passages stand lower"):
        versions.activate(worse.pk, alice)
    assert find_active_version() == active
    assert AuditEntry.objects.filter(act="gate.held", actor_id=alice.pk).exists()
    assert QualityRun.objects.filter(cause="gate", state="done").count() == 2
    with pytest.raises(ChangeHeld):
        versions.activate(worse.pk, alice)
    assert QualityRun.objects.count() == 2  # what is known is not asked again
    versions.activate(worse.pk, alice, is_forced=True)
    assert find_active_version() == worse
    entry = AuditEntry.objects.get(act="gate.overridden")
    assert "ndcg -" in str(entry.detail)
    versions.activate(active.pk, alice)  # back is no loss
    assert find_active_version() == active


def test_nobody_switches_to_a_worse_default_by_itself(alice, worse, zoo, settings):
    settings.PARLEY_GOLDEN_AT_ONCE = 5
    with pytest.raises(ChangeHeld, match="Try again"):
        versions.activate(worse.pk, alice)
    for run in QualityRun.objects.filter(state="waiting"):
        jobs.run(str(run.job_id))
    with pytest.raises(ChangeHeld, match="beyond noise"):
        versions.activate(worse.pk, alice)
    versions.stay(worse)
    assert find_active_version().chosen_over == worse.model
