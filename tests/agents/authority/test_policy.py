"""The policy, cell by cell: against its own table, and against rules written down apart from it."""

from itertools import product
from uuid import uuid4

import pytest

from agents.authority.policy import TABLE, Audience, Scope, audience_of, covers, ruling_of
from agents.authority.rules import Case, Rule, judge
from agents.authority.wording import reason_of
from agents.tools.types import Effect, Taint

TAINTS = [
    frozenset(),
    frozenset({Taint.UNTRUSTED}),
    frozenset({Taint.PRIVATE}),
    frozenset({Taint.UNTRUSTED, Taint.PRIVATE}),
]
CELLS = list(product(Effect, TAINTS, Audience))


def by_hand(effect: str, taints: set[str], audience: str) -> tuple[str, str]:
    """What docs/authority.md promises, without the table: what is done, and for how long a yes may
    hold."""
    if effect in ("none", "reads"):
        return "allow", "always"
    if taints == {"untrusted", "private"}:
        return "ask", "once"
    if "untrusted" in taints:
        return "ask", "conversation"
    if effect == "sends" and "private" in taints:
        holds = {"nobody": "once", "some": "conversation", "everybody": "always"}
        return "ask", holds[audience]
    return "ask", "always"


def named(value):
    """The same in every process: a set has no order of its own."""
    return "+".join(sorted(value)) or "clean" if isinstance(value, frozenset) else str(value)


@pytest.mark.parametrize(("effect", "taints", "audience"), CELLS, ids=named)
def test_every_cell_is_what_is_promised(effect, taints, audience):
    words = {str(taint) for taint in taints}
    ruling = ruling_of(effect, taints, audience)
    assert (ruling.kind, ruling.longest) == by_hand(str(effect), words, str(audience))


@pytest.mark.parametrize(("effect", "taints", "audience"), CELLS, ids=named)
def test_every_cell_says_why(effect, taints, audience):
    said = reason_of(judge(Case(effect, taints, audience)))
    assert said.endswith(".")
    assert "{" not in said


def test_the_table_has_every_cell_and_no_other():
    assert set(TABLE) == set(product(Effect, TAINTS))
    assert all(len(row) == len(Audience) + 1 for row in TABLE.values())


def strictness(effect, taints, audience) -> tuple[int, int]:
    ruling = ruling_of(effect, taints, audience)
    return ["allow", "ask", "deny"].index(ruling.kind), -list(Scope).index(ruling.longest)


@pytest.mark.parametrize(("effect", "taints", "audience"), CELLS, ids=named)
def test_what_is_read_and_who_may_read_it_never_loosens(effect, taints, audience):
    here = strictness(effect, taints, audience)
    for less in TAINTS:
        if less <= taints:
            assert strictness(effect, less, audience) <= here
    wider = list(Audience)[list(Audience).index(audience) :]
    assert all(strictness(effect, taints, one) <= here for one in wider)


@pytest.mark.parametrize("allowed", [Scope.CONVERSATION, Scope.ALWAYS])
@pytest.mark.parametrize("longest", Scope)
def test_what_was_allowed_for_longer_covers_no_call_that_is_asked_about_each_time(allowed, longest):
    wanted = {("conversation", "conversation"), ("conversation", "always"), ("always", "always")}
    assert covers(allowed, longest) == ((str(allowed), str(longest)) in wanted)


@pytest.mark.parametrize("kind", ["allow", "ask", "deny"])
@pytest.mark.parametrize(("effect", "taints", "audience"), CELLS, ids=named)
def test_no_rule_makes_the_three_meet_without_asking(effect, taints, audience, kind):
    for rule in (
        Rule(kind),
        Rule(kind, tool="t"),
        Rule(kind, effect=effect),
        Rule(kind, tool="t", effect=effect, taints=taints, audience=audience),
    ):
        judged = judge(Case(effect, taints, audience, "t"), [rule])
        all_three = effect in ("changes", "sends") and len(taints) == 2
        wanted = "ask" if kind == "allow" and all_three else kind
        assert (judged.ruling.kind, judged.is_held) == (wanted, wanted != kind)
        assert judged.ruling.is_rule_of_two == all_three
        assert not all_three or judged.ruling.longest == "once"


def test_the_more_particular_rule_counts_and_of_equals_the_stricter():
    mail, post = Case(Effect.SENDS, tool="mail"), Case(Effect.SENDS, tool="post")
    general, particular = Rule("deny", effect=Effect.SENDS), Rule("allow", tool="mail")
    assert judge(mail, [general, particular]).ruling.kind == "allow"
    assert judge(post, [general, particular]).ruling.kind == "deny"
    on_taint = Rule("deny", tool="mail", taints=frozenset())
    assert judge(mail, [particular, on_taint]).rule is on_taint
    equal = [Rule("allow", tool="mail"), Rule("ask", tool="mail"), Rule("allow", tool="mail")]
    assert judge(mail, equal).ruling.kind == "ask"
    of_server = Rule("deny", server="wiki")
    assert judge(Case(Effect.READS, server="wiki"), [of_server]).ruling.kind == "deny"
    assert judge(mail, [of_server]).rule is None


def test_a_rule_of_the_administrators_says_its_reason():
    rule = Rule("deny", tool="mail", reason="Mail goes through the secretariat.")
    assert "secretariat" in reason_of(judge(Case(Effect.SENDS, tool="mail"), [rule]))


def test_private_data_without_known_readers_is_the_persons_own():
    private = frozenset({Taint.PRIVATE})
    assert audience_of(private, ()) is Audience.NOBODY
    assert audience_of(private, [uuid4()]) is Audience.SOME
    assert audience_of(frozenset({Taint.UNTRUSTED}), ()) is Audience.EVERYBODY
