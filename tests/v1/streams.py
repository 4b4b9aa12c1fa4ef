"""Event streams as servers of the protocol send them, for scripts."""

import json


def chunks(*deltas, usage=None, finish="stop", **more):
    """One chunk a delta; `more` are fields of every chunk."""
    told = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    told.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    if usage:
        told.append({"choices": [], "usage": usage})
    return lines(*(chunk | more for chunk in told))


def lines(*events):
    head = {"id": "theirs", "object": "chat.completion.chunk", "created": 1, "model": "tiny"}
    parts = [f"data: {json.dumps(head | event)}\n\n" for event in events]
    return "".join([*parts, "data: [DONE]\n\n"]).encode()


def call_deltas(*calls):
    """Tool calls as they come: a head with the name, then the arguments in pieces."""
    deltas = [{"role": "assistant", "content": None}]
    for index, (name, arguments) in enumerate(calls):
        head = {"name": name, "arguments": ""}
        deltas.append(
            {"tool_calls": [{"index": index, "id": f"call_{index}", "type": "function",
                             "function": head}]}
        )  # fmt: skip
        deltas += [
            {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}
            for piece in (arguments[:5], arguments[5:])
        ]
    return deltas
