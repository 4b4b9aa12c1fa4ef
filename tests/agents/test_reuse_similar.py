"""Similar questions share an answer only after a measurement, and under the same circumstances."""

import csv
import io
from dataclasses import replace
from functools import partial

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Grant
from accounts.services import share
from agents.asking import Asked, chat_request
from agents.models import Agent, Measurement
from agents.reuse import measuring
from agents.reuse.keys import question_key
from agents.reuse.measuring import BadQuestions, Pair, measure, nearness, read_pairs, shipped_pairs
from agents.reuse.similar import QUESTIONS, moved
from agents.reuse.types import Answer
from agents.reuse.wording import is_readable, may_share, same_figures
from agents.types import AnswerReused, CitationAdded, PackedPassage, PastMessage, Recollection
from caching.flushing import flush
from knowledge import tuned
from knowledge.glossary.services import put_entry
from knowledge.models import SearchWeights
from knowledge.retrieval.types import Filters
from knowledge.retrieval.understanding import understand
from knowledge.versions import find_active_version
from security.ids import new_id
from tests.agents.passages import passage
from tests.agents.test_reuse import (
    _fresh,
    add,
    agent,
    answer,
    guide,
    guides,
    is_reused,
    model_server,
    of,
    task_of,
    text_of,
)
from tests.support.model_server import Script

__all__ = ["_fresh", "agent", "guide", "guides", "model_server"]
ASKED = "How often does the lamp turn?"
ALIKE = "How often does the lamp rotate?"


def allow(similarity, *, false_hits=0, hits=20):
    return Measurement.objects.create(
        embedder=find_active_version().model, similarity=similarity, questions="test.csv",
        pairs=50, different=25, hits=hits, false_hits=false_hits, limit=0.05,
    )  # fmt: skip


@pytest.fixture
def similar(agent):
    """The agent, as it reuses answers to similar questions; measured at 80 %."""
    flush(QUESTIONS.name)
    allow(80)
    agent.reuses_similar, agent.similarity = True, 80
    agent.full_clean()
    agent.save()
    return agent


@pytest.mark.django_db(transaction=True)
def test_a_question_that_means_the_same_gets_the_answer(alice, similar, guide, model_server):
    embedder_says = nearness([Pair(ASKED, ALIKE, True)], measuring.get_embedder())[0]
    assert embedder_says > 0.8
    first, alike, follow_up, elsewhere = answer(
        task_of(similar, alice, ASKED),
        task_of(similar, alice, ALIKE),
        task_of(similar, alice, ALIKE, history=(PastMessage("user", "Hi"),)),
        task_of(similar, alice, "Who pays for the lamp oil?"),
    )
    (reused,) = of(alike, AnswerReused)
    assert reused.is_similar
    assert text_of(alike) == text_of(first)
    assert of(alike, CitationAdded) == of(first, CitationAdded) != []
    assert not is_reused(follow_up)
    assert not is_reused(elsewhere)
    assert len(model_server.chat_requests) == 3


@pytest.mark.django_db(transaction=True)
def test_only_the_same_circumstances_count(alice, bob, similar, guides, guide, model_server):
    """Another person, another document, another figure, a negation, an agent that was not measured,
    a measurement that has failed since: each asks the model."""
    text = "\n\nThe lamp of 1862 turns slowly.\n"
    others = [
        task_of(similar, bob, ALIKE),
        task_of(similar, alice, "How often does the lamp not turn?"),
        task_of(similar, alice, "How often does the lamp turn in 1999?"),
        task_of(similar, alice, ALIKE, is_temporary=True),
    ]
    steps = answer(task_of(similar, alice, ASKED), *others)
    assert not any(map(is_reused, steps))
    Measurement.objects.all().delete()
    assert not is_reused(*answer(task_of(similar, alice, ALIKE + " Now?")))
    allow(80)
    add(alice, guides, text, "new.md")
    assert not is_reused(*answer(task_of(similar, alice, "How often will the lamp turn?")))
    allow(80, false_hits=9)
    assert not is_reused(*answer(task_of(similar, alice, ALIKE)))


@pytest.mark.django_db(transaction=True)
def test_another_question_does_not_lose_the_one_before(alice, similar, guide, model_server):
    model_server.queue(Script(text="Every twelve seconds [1]."), Script(text="Paris [1]."))
    answer(task_of(similar, alice, ASKED), task_of(similar, alice, "Where was the lens made?"))
    (steps,) = answer(task_of(similar, alice, ALIKE))
    assert text_of(steps) == "Every twelve seconds [1]."


def test_marks_follow_their_passages_and_what_is_not_here_is_not_cited():
    lamp, lens = passage("The lamp turns.", 0), passage("The lens was made in Paris.", 100)

    class Here:
        passages = (PackedPassage(1, (lens,)), PackedPassage(2, (lamp,)))

    class Gone:
        passages = (PackedPassage(1, (lens,)),)

    class Nothing:
        passages = ()

    places = ((1, lamp.document_id, 0), (2, lens.document_id, 100))
    said = Answer("It turns [1].", "m", "e", "2026-01-01T00:00:00+00:00", places=places)
    assert moved(said, Here).text == "It turns [2]."
    assert moved(said, Gone) is None
    silent = Answer("Nothing is said.", "m", "e", "2026-01-01T00:00:00+00:00", places=places)
    assert moved(silent, Here) is None
    coded = Answer("`a[1]` turns [1].", "m", "e", "2026-01-01T00:00:00+00:00", places=places)
    assert moved(coded, Here) is None
    unfounded = Answer("Hello.", "m", "e", "2026-01-01T00:00:00+00:00")
    assert moved(unfounded, Nothing) == unfounded


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Rules of 2023?", "Rules in 2023?", True),
        ("Rules of 2023?", "Rules of 2024?", False),
        ("May I?", "May I not?", False),
        ("Can I?", "Can't I?", False),
        ("可以吗？", "不可以吗？", False),
        ("年假有几天？", "我有几天年假？", True),
    ],
)
def test_figures_and_negations_are_never_alike(one, other, same):
    assert same_figures(one, other) == same


def test_an_answer_speaks_the_language_and_the_script_of_its_question():
    english, simplified, traditional = (
        "How many days of leave do I have?", "我有几天年假？", "我有幾天年假？",
    )  # fmt: skip
    assert may_share(english, "How many days of leave do we have?")
    assert may_share(simplified, "年假有几天？")
    assert not may_share(english, "Wie viele Tage Urlaub habe ich?")
    assert not may_share(english, simplified)
    assert not may_share(simplified, traditional)


@pytest.mark.django_db(transaction=True)
def test_what_is_remembered_of_a_person_is_part_of_the_circumstances(
    alice, similar, guide, model_server
):
    told = (Recollection(new_id(), "I am deaf."),)
    first, forgotten, remembered = answer(
        task_of(similar, alice, ASKED, memories=told),
        task_of(similar, alice, ALIKE),
        task_of(similar, alice, ALIKE, memories=told),
    )
    assert [is_reused(steps) for steps in (first, forgotten, remembered)] == [False, False, True]


def test_an_embedder_is_not_asked_about_words_it_does_not_know():
    """To the embedded one all Chinese characters are the same."""
    for text in ("Wie groß ist es? – 5 €", "Où ?", "How?"):
        assert is_readable(text, is_multilingual=False)
    for text in ("谁批准了预算？", "Кто?", "Who is 谁?"):
        assert not is_readable(text, is_multilingual=False)
        assert is_readable(text, is_multilingual=True)


# -- the measurement -----------------------------------------------------------------------------


@pytest.mark.django_db
def test_it_cannot_be_switched_on_before_a_measurement_within_the_limit(agent):
    agent.reuses_similar = True
    with pytest.raises(ValidationError, match="Measure first"):
        agent.full_clean()
    allow(95, hits=10, false_hits=1)
    with pytest.raises(ValidationError, match="Measure first"):
        agent.full_clean()
    allow(95)
    agent.full_clean()
    agent.similarity = 90
    with pytest.raises(ValidationError, match="Measure first"):
        agent.full_clean()
    agent.similarity, agent.reuse = 95, Agent.Reuse.OFF
    with pytest.raises(ValidationError, match="at all"):
        agent.full_clean()


@pytest.mark.django_db
def test_the_shipped_questions_are_measured(alice, settings, capsys):
    pairs = shipped_pairs()
    strict, loose = (measure(pairs, similarity, "shipped", alice) for similarity in (98, 80))
    assert loose.hits > strict.hits
    assert loose.false_hits > strict.false_hits
    assert loose.pairs == len(pairs)
    assert 40 <= loose.different < loose.pairs
    assert not loose.is_passed  # near is not the same
    assert strict.is_passed
    call_command("measure_semantic_cache", similarity=98)
    assert "pairs share an answer" in capsys.readouterr().out
    with pytest.raises(CommandError):
        call_command("measure_semantic_cache", similarity=30)


def labelled(same=25, different=25):
    rows = io.StringIO()
    writer = csv.writer(rows)
    writer.writerow(["question", "other", "same"])
    writer.writerows([f"Where is room {n}?", f"Where is room {n}?", 1] for n in range(same))
    writer.writerows([f"Who is {n}?", f"Where is {n}?", 0] for n in range(different))
    return rows.getvalue()


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", labelled(3, 50), labelled(50, 3), labelled() + "one,,1\n",
             labelled() + "one,two,maybe\n"],
)  # fmt: skip
def test_what_is_no_labelled_set_is_refused(text):
    with pytest.raises(BadQuestions):
        read_pairs(text)


@pytest.mark.django_db
def test_an_administrator_measures_with_a_file_of_their_own(alice, bob):
    alice.is_staff = alice.is_superuser = True
    alice.save()
    client = Client()
    client.force_login(alice)
    address = reverse("admin:agents_measurement_add")
    file = SimpleUploadedFile("ours.csv", labelled().encode())
    response = client.post(address, {"similarity": 95, "file": file}, follow=True)
    assert "would share an answer" in response.content.decode()
    made = Measurement.objects.get()
    assert (made.questions, made.measured_by, made.hits) == ("ours.csv", alice, 25)
    assert client.get(reverse("admin:agents_measurement_change", args=[made.pk])).status_code == 200
    bad = SimpleUploadedFile("bad.csv", b"a,b\n")
    said = client.post(address, {"similarity": 95, "file": bad}).content.decode()
    assert "must name the columns" in said
    client.force_login(bob)
    assert client.get(address).status_code in (302, 403)


@pytest.mark.django_db(transaction=True)
def test_an_answer_to_nearly_the_same_is_never_somebody_elses(
    alice, bob, similar, guides, guide, model_server
):
    """Also where the agent shares: bob may read the same, and gets answers to the very same."""
    share(guides, bob, Grant.Role.READER, by=alice)
    share(similar, bob, Grant.Role.READER, by=alice)
    Agent.objects.filter(pk=similar.pk).update(reuse="shared")
    similar.refresh_from_db()
    _hers, nearly, the_same, her_own = answer(
        task_of(similar, alice, ASKED),
        task_of(similar, bob, ALIKE),
        task_of(similar, bob, ASKED),
        task_of(similar, alice, ALIKE + " Please."),
    )
    assert [is_reused(steps) for steps in (nearly, the_same, her_own)] == [False, True, True]
    (reused,) = of(the_same, AnswerReused)
    assert not reused.is_similar


@pytest.mark.django_db(transaction=True)
def test_how_documents_are_searched_is_part_of_the_circumstances(alice, similar, guides, guide):
    """A switch, a narrowing, a glossary's word, tuned weights, more room for passages: what is
    searched for otherwise may find more than an older answer cites."""
    task = task_of(similar, alice, ASKED, collections=(guides.pk,))

    def key(task=task, understood=None):
        asked = Asked()
        asked.write = partial(chat_request, task, [], ())
        asked.understood = understood or understand(ASKED, (), (), timezone.now())
        return question_key(task, asked, "1:1", [])

    plain = understand(ASKED, (), (), timezone.now())
    assert key() == key(replace(task, question=ALIKE))
    changed = [
        key(replace(task, said_by_collections=({"rerank": True},))),
        key(replace(task, agent=replace(task.agent, understanding={"glossary": False}))),
        key(replace(task, agent=replace(task.agent, max_passages=2))),
        key(replace(task, agent=replace(task.agent, context_tokens=900))),
        key(understood=replace(plain, filters=Filters(file_types=("pdf",)))),
        key(understood=replace(plain, entries=(("lamp", "beacon"),))),
    ]
    as_before = key()
    SearchWeights.objects.create(collection=guides, script="latin", threshold=0.5)
    tuned.forget()
    changed.append(key())
    assert len({repr(one) for one in (as_before, *changed)}) == 8
    SearchWeights.objects.all().delete()
    tuned.forget()
    assert key() == as_before


@pytest.mark.django_db(transaction=True)
def test_a_new_word_of_the_glossary_lets_the_model_be_asked(alice, similar, guides, guide):
    first, alike = (task_of(similar, alice, one, has_glossary=True) for one in (ASKED, ALIKE))
    assert not is_reused(*answer(first))
    put_entry(guides, ["lamp", "beacon"])
    assert not is_reused(*answer(alike))
    assert is_reused(*answer(replace(alike, question=ALIKE + " Please.")))
