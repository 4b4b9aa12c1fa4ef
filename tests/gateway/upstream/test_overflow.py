"""Each server says in its own words how much is too much."""

import pytest

from gateway.errors import BadRequest, ContextOverflow
from gateway.upstream.failures import error_for_payload


@pytest.mark.parametrize(
    ("error", "numbers"),
    [
        (
            {"type": "exceed_context_size_error", "n_prompt_tokens": 9, "n_ctx": 4, "message": "x"},
            (9, 4),
        ),
        (
            {"message": "request (9 tokens) exceeds the available context size (4 tokens)",
             "type": "exceed_context_size_error"},
            (9, 4),
        ),
        (
            {"message": "This model's maximum context length is 4 tokens. However, your messages "
             "resulted in 9 tokens.", "code": "context_length_exceeded"},
            (9, 4),
        ),
        ({"message": "maximum context length is 4"}, (None, 4)),
        (
            {"message": "Prompt contains 9 tokens and 0 draft tokens, too large for model with 4 "
             "maximum context length"},
            (9, 4),
        ),
        ({"message": "`inputs` tokens + `max_new_tokens` must be <= 4. Given: 9 `inputs`"}, (9, 4)),
        ({"message": "prompt is too long: 9 tokens > 4 maximum"}, (9, 4)),
        ({"code": "context_length_exceeded"}, (None, None)),
    ],
)  # fmt: skip
def test_the_numbers_of_an_overflow(error, numbers):
    found = error_for_payload({"error": error}, 400)
    assert isinstance(found, ContextOverflow)
    assert (found.prompt_tokens, found.limit) == numbers


def test_other_refusals_are_none():
    assert type(error_for_payload({"error": {"message": "9 tokens?"}}, 400)) is BadRequest
