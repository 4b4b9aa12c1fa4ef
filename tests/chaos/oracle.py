"""Compares what the model sent, what Postgres keeps and what each reader saw: to the character.

The promises of the event log, checked on the outside: every turn ends, once, in a final state;
no text is lost, doubled or mixed; who saw the end saw exactly what is stored.
"""

from collections import Counter, defaultdict

FINAL = {"completed", "stopped", "interrupted", "failed"}
LAST_OF = {
    "completed": "message_completed",
    "stopped": "turn_stopped",
    "interrupted": "turn_interrupted",
    "failed": "turn_failed",
}
TURNS = """
    select t.id::text, t.status, q.text, a.text, a.status, s.state, s.last_seq, s.fence,
           (select count(*) from gateway_usage u where u.turn_id = t.id)
    from chat_turn t
    join chat_message q on q.id = t.question_id
    join chat_message a on a.id = t.answer_id
    join events_stream s on s.id = t.id
"""
CALLS = """
    select turn_id::text,
           string_agg(concat_ws(' ', model_name, endpoint_name, outcome, detail), '; '
                                     order by id)
    from gateway_usage where turn_id is not null group by turn_id
"""


def numbered(question, tokens):
    """The answer to this question: as many tokens, no two alike anywhere."""
    return "".join(f"{question}.{n:04} " for n in range(tokens))


def asked(body):
    """The question in a request to the model."""
    return body["messages"][-1]["content"].rpartition("Question:\n")[2]


def sent_texts(model):
    """What the model sent for each question, one text for each call."""
    calls = defaultdict(list)
    for streamed in list(model.streamed):
        calls[asked(streamed.body)].append(streamed.text)
    return calls


def examine(stack, model, readers, answer, *, may_repeat_calls=False):
    """A tally of statuses; AssertionError with everything that is wrong.

    `may_repeat_calls` where runners were killed: a turn that had said nothing begins anew, and
    the call of which nothing was heard before its runner died has no usage row.
    """
    problems = []
    calls = sent_texts(model)
    events = _events(stack)
    turns = {row[0]: row for row in stack.rows(TURNS)}
    counted = dict(stack.rows(CALLS))
    for row in turns.values():
        found = _examine_turn(row, events[row[0]], calls, answer, may_repeat_calls)
        problems += found
        if found:
            problems.append(f"  it says {row[3][:200]!r}; its calls: {counted.get(row[0])}")
    for reader in readers:
        problems += _examine_reader(reader, turns.get(reader.turn))
    if len(turns) != len({reader.turn for reader in readers}):
        problems.append(f"{len(turns)} turns for {len(readers)} questions")
    assert not problems, "\n".join(problems[:20])
    return Counter(row[1] for row in turns.values())


def _events(stack):
    events = defaultdict(list)
    rows = stack.rows("select stream_id::text, seq, kind, payload from event order by 1, 2")
    for stream, seq, kind, payload in rows:
        events[stream].append((seq, kind, payload))
    return events


def _examine_turn(row, events, calls, answer, may_repeat_calls):
    _pk, status, question, text, message_status, state, last_seq, fence, usage_rows = row
    logged = "".join(payload["text"] for _, kind, payload in events if kind == "text_delta")
    ends = [(seq, kind) for seq, kind, _ in events if kind in LAST_OF.values()]
    sent = calls[question]
    checks = {
        "has a final state": status in FINAL and state == "closed",
        "was not failed by our own fault": status != "failed",
        "has one last event": ends == [(last_seq, LAST_OF.get(status))],
        "keeps what was logged": text == logged,
        "keeps what one call sent": not text or any(said.startswith(text) for said in sent),
        "is whole when completed": status != "completed" or text == answer(question),
        "has the status of its message": message_status == status.removesuffix("d")
        or (status, message_status) in {("stopped", "stopped"), ("interrupted", "interrupted")},
        "asked the model once": len(sent) == 1 or (may_repeat_calls and len(sent) <= fence),
        "counts its calls": usage_rows == len(sent)
        or (may_repeat_calls and bool(text) <= usage_rows <= len(sent)),
    }
    return _named(
        f"turn {question!r} ({status}, {len(sent)} calls, {usage_rows} usage rows)", checks
    )


def _examine_reader(reader, row):
    if row is None:
        return [f"reader of {reader.question!r}: the accepted turn is not there"]
    _pk, status, question, text, *_ = row
    checks = {
        f"saw nothing odd {reader.mistakes[:3]}": not reader.mistakes,
        "saw the answer to their own question": question == reader.question,
        f"saw its end ({reader.last})": reader.last == LAST_OF.get(status),
        f"saw the stored text ({len(reader.text)} of {len(text)})": reader.text == text,
    }
    return _named(f"reader of {question!r} ({status})", checks)


def _named(subject, checks):
    return [f"{subject}: NOT {what}" for what, holds in checks.items() if not holds]
