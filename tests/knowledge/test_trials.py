"""Two settings of the search side by side, as oneself or somebody else, and golden questions."""

from datetime import UTC, datetime

import pytest
from django.http import QueryDict

from accounts.services import share
from knowledge import services
from knowledge.glossary.services import put_entry
from knowledge.models import GoldenQuestion
from knowledge.retrieval.types import Filters
from knowledge.trials.comparing import Asking, both, compare, in_both, try_setting
from knowledge.trials.settings import Setting, SettingForm
from tests.knowledge.test_reranking import MODEL, make_cross_encoder

pytestmark = pytest.mark.django_db
COMPARE = "/knowledge/search/compare/"
TRAIN = "# Trains\n\nTrains are preferred to planes below 600 km. Book the train early."
LEAVE = "# Leave\n\nThe parental leave is twenty weeks; nobody has to travel then."


@pytest.fixture
def papers(handbook, add_text):
    return add_text(handbook, TRAIN, "train.md"), add_text(handbook, LEAVE, "leave.md")


def setting(query: str) -> Setting:
    form = SettingForm("a", QueryDict(query))
    assert form.is_valid(), form.errors
    return form.to_setting()


def test_a_setting_stands_in_the_address():
    assert setting("") == Setting()
    assert setting("a_legs=words&a_limit=50&a_rules=on") == Setting(0.0, 50, rules=True)
    assert setting("a_rerank=on") == Setting(reranks=True)
    assert setting("a_legs=weight&a_weight=0.25&b_legs=words").alpha == 0.25
    found = setting("a_kind=pdf&a_language=zh&a_since=2026-01-01&a_until=2026-01-31").filters
    assert found == Filters(
        file_types=("pdf",), languages=("zh",),
        from_=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2026, 2, 1, tzinfo=UTC),
    )  # fmt: skip
    assert not SettingForm("a", QueryDict("a_weight=3")).is_valid()
    assert not SettingForm("a", QueryDict("a_legs=legs")).is_valid()


def test_two_filters_let_through_what_both_let_through():
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    one = Filters(file_types=("pdf", "html"), from_=early)
    other = Filters(file_types=("pdf",), languages=("en",), from_=late, until=late)
    assert both(one, other) == Filters(None, None, ("pdf",), ("en",), late, late)


def test_what_moved_is_marked(alice, papers):
    asking = Asking(alice)
    words, meaning = compare(
        try_setting(asking, "train", Setting(alpha=0.0)),
        try_setting(asking, "train", Setting(alpha=1.0)),
    )
    assert [hit.passage.title for hit in words.hits] == ["Trains"]
    assert words.hits[0].other == 1
    assert (words.hits[0].moved, words.hits[0].lexical["rank"]) == (0, 1)
    assert [hit.other for hit in meaning.hits if hit.passage.title == "Leave"] == [None]
    assert in_both(words, meaning) == 1
    ruled = try_setting(asking, "trains in PDFs", Setting(rules=True))
    assert ruled.understood is not None
    assert ruled.hits == []  # nothing here is a PDF


@pytest.mark.django_db(transaction=True)
def test_one_side_is_reranked(alice, handbook, papers, client, settings, tmp_path):
    make_cross_encoder(tmp_path)
    settings.PARLEY_CROSS_ENCODER = str(tmp_path)
    side = try_setting(Asking(alice), "the train", Setting(limit=1, reranks=True))
    assert side.reranked is not None
    assert (side.reranked.way, side.reranked.trouble) == ("cross_encoder", "")
    (hit,) = side.hits  # as many as were asked for, of all that were put in order
    assert hit.fused is not None
    client.force_login(alice)
    page = client.get(COMPARE, {"q": "the train", "b_rerank": "on"}).content.decode()
    assert "reranked by the model on this machine" in page
    assert page.count("Before reranking") == page.count("Fused score") > 0
    broken = tmp_path / "broken"
    broken.mkdir()
    make_cross_encoder(broken)
    (broken / MODEL).write_bytes(b"no model")
    settings.PARLEY_CROSS_ENCODER = str(broken)
    page = client.get(COMPARE, {"q": "the train", "b_rerank": "on"}).content.decode()
    assert "No reranker answered" in page


def test_through_whose_eyes(alice, bob, charlie, handbook, papers, client):
    share(handbook, bob, "reader", by=alice)
    client.force_login(alice)
    as_bob = client.get(COMPARE, {"q": "train", "as": str(bob.pk)}).content.decode()
    assert "Trains" in as_bob
    assert 'id="golden"' not in as_bob  # it is kept as oneself
    assert client.get(COMPARE, {"q": "train", "as": str(charlie.pk)}).status_code == 404
    client.force_login(charlie)
    assert "train.md" not in client.get(COMPARE, {"q": "train"}).content.decode()


def test_the_glossary_s_words_are_searched_too(alice, bob, charlie, handbook, papers):
    """Also through other eyes; and of collections that the one who looks owns, and no others."""
    theirs = services.create_collection(charlie, "Theirs")
    share(theirs, alice, "reader", by=charlie)
    share(theirs, bob, "reader", by=charlie)
    share(handbook, bob, "reader", by=alice)
    put_entry(theirs, ["caravanserai", "twenty weeks"])
    put_entry(handbook, ["caravanserai", "trains preferred"])

    def words(eyes):
        side = try_setting(Asking(alice, eyes), "Caravanserai?", Setting(rules=True))
        assert "Trains" in [hit.passage.title for hit in side.hits]
        return " ".join(query.text for query in side.understood.also)

    assert "trains preferred" in words(None)
    assert "twenty weeks" in words(None)
    assert "trains preferred" in words(bob)
    assert "twenty weeks" not in words(bob)


def test_a_question_is_kept_with_the_ticked_passages(alice, bob, charlie, handbook, papers, client):
    share(handbook, bob, "reader", by=alice)
    chunk = papers[0].chunks.get()
    ticked = {"collection": str(handbook.pk), "q": "May I fly?", "expects": "ticked",
              "passage": [str(chunk.pk)], "back": "q=May+I+fly%3F&a_legs=words"}  # fmt: skip
    for person, status in ((charlie, 404), (bob, 302)):
        client.force_login(person)
        assert client.post("/knowledge/search/golden", ticked).status_code == status
    (proposed,) = GoldenQuestion.objects.all()
    assert proposed.state == GoldenQuestion.State.PROPOSED
    client.force_login(alice)
    answer = client.post("/knowledge/search/golden", ticked | {"q": "Planes or trains?"})
    assert answer.url == f"{COMPARE}?q=May+I+fly%3F&a_legs=words"
    kept = GoldenQuestion.objects.get(text="Planes or trains?")
    assert (kept.origin, kept.state) == ("search", "accepted")
    assert kept.expected.get().document_id == papers[0].pk
    nothing = ticked | {"q": "Who is the king?", "expects": "nothing"}
    client.post("/knowledge/search/golden", nothing)
    assert GoldenQuestion.objects.get(text="Who is the king?").must_find_nothing
