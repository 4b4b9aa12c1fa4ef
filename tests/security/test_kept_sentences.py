"""Kept as codes with values, sentences are said in the language of whoever reads them."""

import orjson
import pytest
from django.utils import translation

from gateway.errors import EndpointTimeout, EndpointUnreachable, UpstreamFailed
from gateway.labels import Demand, LabelUnmet, require_labels
from gateway.types import Route
from security.sentences import Sentence, as_text, declare, said, said_text, stored, together

NO_ANSWER = "The model's server did not answer in time. It did not begin to answer."


def kept(text):
    """As it comes back from the database."""
    return orjson.loads(orjson.dumps(stored(text)))


def in_chinese(stored_form):
    with translation.override("zh-hans"):
        return said(stored_form)


def test_a_failure_is_said_in_the_language_of_its_reader():
    failure = EndpointTimeout(Sentence("no_answer")).said
    assert failure == NO_ANSWER
    assert said(kept(failure)) == NO_ANSWER
    assert in_chinese(kept(failure)) not in {"", NO_ANSWER}
    with translation.override("zh-hans"):
        written_in_chinese = EndpointTimeout(Sentence("no_answer")).said
    assert written_in_chinese == in_chinese(kept(failure))
    assert said(kept(written_in_chinese)) == NO_ANSWER


def test_what_a_server_says_stays_as_it_is_also_with_braces_in_it():
    failure = UpstreamFailed("out of {memory} {0}").said
    assert said(kept(failure)).endswith("failed. out of {memory} {0}")
    assert in_chinese(kept(failure)).endswith("。out of {memory} {0}")


def test_numbers_choose_their_plural_in_each_language():
    one, two = Sentence("no_free_request", n=1), Sentence("no_free_request", n=2)
    assert (one[-9:], two[-10:]) == ("1 second.", "2 seconds.")
    assert "2" in in_chinese(kept(two))


def test_sentences_stand_in_sentences():
    route = Route.__new__(Route)
    object.__setattr__(route, "labels", frozenset())
    demands = [Demand("eu", "agent", "Lawyer"), Demand("eu", "earlier"), Demand("hr", "team", "HR")]
    with pytest.raises(LabelUnmet) as refused:
        require_labels([route], demands)
    text = said(kept(refused.value.said))
    assert "“eu” (the agent “Lawyer”, an earlier answer in this conversation), “hr” (the" in text
    assert "Lawyer" in (chinese := in_chinese(kept(refused.value.said)))
    assert "agent" not in chinese


def test_several_are_one_text_and_each_is_said_once():
    both = together(["", Sentence("tools"), Sentence("images"), Sentence("tools"), "As it was."])
    assert both == "tools images As it was."
    assert said(kept(both)) == both
    assert in_chinese(kept(both)) == "工具 图片 As it was."
    assert together([]) == ""
    assert stored(together(["", "Old words."])) == "Old words."
    assert together(["无法连接。", "启动了吗？", "Or not."]) == "无法连接。启动了吗？Or not."


def test_words_of_old_and_unknown_codes_are_no_trouble():
    assert said("Old words.") == "Old words."
    assert said(None) is None
    assert said({"type": "busy", "detail": "Old {words}."}) == {
        "type": "busy",
        "detail": "Old {words}.",
    }
    assert said({"code": "of-another-version", "values": {}}) == ""
    assert said_text('{"code": is how this person\'s import began') == (
        '{"code": is how this person\'s import began'
    )


def test_a_column_of_text_holds_either():
    failure = EndpointUnreachable(Sentence("closed")).said
    assert said_text(as_text(stored(failure))) == str(failure)
    assert said_text(as_text(stored("Words."))) == "Words."
    assert as_text(stored("")) == ""


def test_a_code_is_declared_once():
    with pytest.raises(ValueError, match="declared twice"):
        declare({"tools": "again"})
