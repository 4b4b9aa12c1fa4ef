"""What is seen of a question, the points for it, rules, regret and what is learned: no database."""

import timeit
from decimal import Decimal

import pytest

from gateway.complexity.features import NAMES, complete, features_of, features_of_text, question_of
from gateway.complexity.learning import LEAST_LABELS, fit, learn
from gateway.complexity.replay import Labelled, always, judge_by, regret
from gateway.complexity.rules import NoCondition, Rule, parse, suggest
from gateway.complexity.score import HARD_FROM, MEDIUM_FROM, Settings, measure, score
from gateway.complexity.wording import LABELS, strongest
from gateway.controls import Controls
from gateway.routing.needs import needs_of
from gateway.types import ChatRequest, PassageText, PromptMessage

HARD = (
    "Prove that the algorithm below terminates, and explain why it is optimal.\n"
    "```\ndef f(n):\n    return f(n - 1)\n```"
)


def tier(text, **more):
    return score(features_of_text(text) | more, Settings()).tier


def flags(text):
    return {name for name, value in features_of_text(text).items() if value and name in (
        "code", "table", "math", "lookup", "comparison", "reasoning", "writing", "chinese",
        "other_language")}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("What is a lease?", {"lookup"}),
        ("Compare leases with locks", {"comparison"}),
        ("Why does the runner wait?", {"reasoning"}),
        ("为什么租约是三十秒？", {"reasoning", "chinese"}),
        ("比較租約與鎖的差異", {"comparison", "chinese"}),
        ("租约是什么？", {"lookup", "chinese"}),
        ("Что такое аренда?", {"other_language"}),
        ("KeyError: 'lease' in my script", {"code"}),
        ("| a | b |\n|---|---|\n| 1 | 2 |", {"table"}),
        ("solve x^2 = 4", {"math"}),
        ("Write a letter to Bob", {"writing"}),
        ("Hello", set()),
        ("From the file(s) above: import duties, public holidays (both)?", set()),
        ("select a, b from t where c", {"code"}),
        ("import os\nos.getcwd()", {"code"}),
    ],
)
def test_kinds_of_questions_are_seen_in_english_and_chinese(text, seen):
    assert flags(text) == seen


def test_counts():
    found = features_of_text("1. one\n2. two\n- three\nIt must be exactly so? Really？ 必须如此")
    assert (found["steps"], found["questions"], found["constraints"]) == (3, 2, 3)
    assert list(found) == list(NAMES) == list(complete({}))


def test_easy_questions_are_simple_and_proofs_are_hard():
    assert tier("What is the capital of France?") == "simple"
    assert tier("法国的首都是哪里？") == "simple"
    assert tier("Compare the two contracts: what is different, and why?") == "medium"
    assert tier(HARD) == "hard"
    assert tier("What is this?", effort=2.0, images=2.0) == "medium"


def test_what_goes_with_a_question_counts_too():
    request = ChatRequest(
        "m",
        (PromptMessage("system", "x" * 8000), PromptMessage("user", "a"),
            PromptMessage("assistant", "b"), PromptMessage("user", "c" * 400)),
        controls=Controls(reasoning_effort="high"),
        tools=({"type": "function"},),
        passages=(PassageText(1, "T", "t"), PassageText(2, "T", "t")),
        image_count=1,
    )  # fmt: skip
    found = features_of(request, question_of(request), needs_of(request))
    assert question_of(request) == "c" * 400
    shown = {name: found[name] for name in ("passages", "images", "history", "tools", "effort")}
    assert shown == {"passages": 2, "images": 1, "history": 2, "tools": 1, "effort": 2}
    assert found["tokens"] == 100
    assert found["context"] > 2000


def test_the_question_of_a_program_is_the_last_thing_a_person_said():
    parts = [
        {"type": "text", "text": "Why"},
        {"type": "image_url"},
        {"type": "text", "text": "so?"},
    ]
    said = ({"role": "user", "content": "a"}, {"role": "user", "content": parts},
        {"role": "assistant", "content": "no"})  # fmt: skip
    assert question_of(ChatRequest("m", said)) == "Why\nso?"
    assert question_of(ChatRequest("m", said, question="asked")) == "asked"
    assert question_of(ChatRequest("m", ())) == ""


def test_a_decision_takes_microseconds():
    text = "How does a lease differ from a lock, and when must it be renewed? " * 3
    seconds = min(timeit.repeat(lambda: features_of_text(text), number=50, repeat=20)) / 50
    assert seconds < 1e-3  # measured: below 50 µs (benchmarks.routing); machines may be busy


def test_hostile_text_is_read_in_linear_time():
    for text in ("a(" * 50_000, "|" * 100_000, "a," * 50_000, "select " * 20_000, "\t" * 50_000):
        assert timeit.timeit(lambda text=text: features_of_text(text), number=1) < 2


def test_the_score_adds_up_and_names_the_strongest():
    found = score(features_of_text("Compare these: why?") | {"passages": 2.0}, Settings())
    assert found.points == pytest.approx(sum(share.points for share in found.shares))
    assert {share.name for share in found.shares[:2]} == {"comparison", "reasoning"}
    assert strongest(found.shares) == ["comparison question", "asks for reasons or a plan"]
    assert measure("tokens", 32) == 1
    assert measure("steps", 500) == 8
    assert set(LABELS) == set(NAMES)


def test_rules_are_read_as_a_person_writes_them():
    rule = Rule(parse("code\nTokens > 400\nnot chinese"), "hard")
    assert rule.holds(complete({"code": 1, "tokens": 401}))
    assert not rule.holds(complete({"code": 1, "tokens": 400}))
    assert not rule.holds(complete({"code": 1, "tokens": 500, "chinese": 1}))
    assert str(rule) == "contains code and longer than 400 tokens and not: in Chinese → hard"
    assert not Rule((), "hard").holds(complete({}))


@pytest.mark.parametrize(
    "text", ["", "words", "not tokens > 3", "tokens >", "tokens > -1", "code\n" * 11]
)
def test_what_is_no_rule_is_refused(text):
    with pytest.raises(NoCondition):
        parse(text)


def test_a_rule_is_suggested_from_what_was_strongest():
    features = features_of_text("Compare this. " + "word " * 400)
    lines = suggest(score(features, Settings()))
    assert lines == "tokens >= 500\ncomparison"
    assert Rule(parse(lines), "hard").holds(features)


def labelled(*pairs):
    return [Labelled(complete(features), right) for features, right in pairs]


def test_regret_counts_too_simple_three_times_and_costs_only_upwards():
    rows = labelled(({"code": 1}, "hard"), ({"lookup": 1}, "simple"), ({"context": 1000}, "medium"))
    prices = {"simple": (Decimal(1), Decimal(2)), "medium": (Decimal(2), Decimal(4)),
        "hard": (Decimal(10), Decimal(20))}  # fmt: skip
    hard, simple = regret(rows, always("hard"), prices), regret(rows, always("simple"), prices)
    assert (hard.wrong, hard.too_hard, hard.points, hard.quality) == (2, 2, 1.0, 0.0)
    assert (simple.wrong, simple.too_simple, simple.points) == (2, 2, 3.0)
    assert simple.cost == 0
    # simple → hard: 500 answer tokens × 18; medium → hard: 1000 × 8 + 500 × 16; a third for each.
    assert hard.cost == Decimal(9000 + 16000) / 1_000_000 / 3 * 1000
    assert regret(rows, always("hard"), {**prices, "medium": None}).cost is None
    assert regret([], always("hard")).points == regret([], always("hard")).share == 0


def test_rules_come_before_the_score_in_a_replay():
    rows = labelled(({"lookup": 1}, "hard"))
    assert regret(rows, judge_by(Settings())).wrong == 1
    assert regret(rows, judge_by(Settings(), [Rule(parse("lookup"), "hard")])).wrong == 0


def house_of(count):
    """Of a house where code is easy and Chinese questions are hard."""
    rows = []
    for n in range(count):
        size = 10 + 7 * n % 90
        rows += [
            ({"code": 1, "reasoning": 1, "math": 1, "tokens": size}, "simple"),
            ({"chinese": 1, "tokens": size}, "hard"),
            ({"writing": 1, "tokens": size}, "medium"),
        ]
    return labelled(*rows)


def test_learning_lowers_the_regret_and_is_deterministic():
    rows = house_of(12)
    lesson = learn(rows, Settings())
    assert lesson.is_better
    assert lesson.now.wrong > 20
    assert lesson.then.wrong <= 2
    assert learn(rows, Settings()) == lesson
    after = regret(rows, judge_by(lesson.settings))
    assert after.points <= lesson.then.points
    assert lesson.settings.weights["chinese"] > 1
    assert lesson.settings.medium_from <= lesson.settings.hard_from


def test_learning_again_from_the_same_labels_is_no_better():
    rows = house_of(12)
    learned = learn(rows, Settings()).settings
    assert not learn(rows, learned).is_better


def test_too_few_labels_or_one_tier_alone_teach_nothing():
    assert learn(house_of(1), Settings()) is None
    assert learn(labelled(*[({"code": 1}, "hard")] * LEAST_LABELS), Settings()) is None
    assert fit(house_of(4), [Rule(parse("tokens > 0"), "hard")]) == Settings()


def test_noise_is_not_learned():
    tiers = ("simple", "medium", "hard")
    rows = labelled(*[({"tokens": 20.0}, tiers[n * 7 % 3]) for n in range(30)])
    settings = fit(rows)
    assert settings.medium_from <= settings.hard_from
    assert abs(settings.weights["code"] - 1.5) < 0.01


def test_tiers_by_thresholds():
    settings = Settings()
    below = settings.tier(MEDIUM_FROM - 0.01), settings.tier(HARD_FROM - 0.01)
    assert below == ("simple", "medium")
    assert (settings.tier(MEDIUM_FROM), settings.tier(HARD_FROM)) == ("medium", "hard")
    assert settings.distance(MEDIUM_FROM + 0.5) == 0.5
