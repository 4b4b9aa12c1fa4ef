"""Decoding controls as fields of the request, per server; what one cannot do is refused by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.controls import Capability, Controls
from gateway.errors import UnsupportedControl
from gateway.types import Route
from gateway.upstream.servers import Server, name_at, server_of
from gateway.upstream.structure import demanded_form, structure_fields
from security.sentences import TOGETHER, Sentence

_SAMPLING = (
    "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty", "repetition_penalty",
    "seed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Resolved:
    """What had to be asked of the server before: token ids of words, fields of an adapter."""

    bias: Mapping[str, float] = field(default_factory=dict)
    lora: Mapping[str, Any] = field(default_factory=dict)


NOTHING = Resolved()


def control_fields(
    route: Route, controls: Controls, resolved: Resolved = NOTHING
) -> dict[str, Any]:
    """The fields of every control that is set; raises UnsupportedControl rather than drop one."""
    server = server_of(route)
    fields = _sampling_fields(server, route, controls)
    if controls.stop:
        fields["stop"] = list(controls.stop)
    if controls.logit_bias or controls.word_bias:
        demand(route, Capability.LOGIT_BIAS, "word_bias" if controls.word_bias else "logit_bias")
        fields["logit_bias"] = {**resolved.bias, **controls.logit_bias}
    if controls.logprobs or controls.top_logprobs is not None:
        demand(route, Capability.LOGPROBS, "logprobs")
        fields["logprobs"] = True
    if controls.top_logprobs is not None:
        fields["top_logprobs"] = controls.top_logprobs
    if controls.prediction:
        demand(route, Capability.PREDICTION, "prediction")
        fields["prediction"] = {"type": "content", "content": controls.prediction}
    fields |= _draft_fields(server, route, controls) if controls.draft else {}
    fields |= _effort_fields(server, route, controls.reasoning_effort)
    fields |= _structure(route, controls)
    return fields | dict(resolved.lora)


def demand(route: Route, capability: Capability, control: str) -> None:
    """Raise UnsupportedControl for what the deployment is known not to do."""
    if capability in route.lacks:
        raise refusal(route, control)


def refusal(route: Route, control: str, reason: str = "") -> UnsupportedControl:
    """“vLLM 1” does not do “top_k” with “mistral”; the reason is a Sentence."""
    model = route.upstream_name or route.model
    text = Sentence("does_not_do", endpoint=route.endpoint, control=control, model=model)
    return UnsupportedControl(Sentence(TOGETHER, sentences=[text, reason]), control=control)


def _sampling_fields(server: Server, route: Route, controls: Controls) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for control in _SAMPLING:
        value = getattr(controls, control)
        if value is None:
            continue
        name = name_at(server, control)
        if not name:
            raise refusal(route, control)
        fields[name] = value
    return fields


def _draft_fields(server: Server, route: Route, controls: Controls) -> dict[str, Any]:
    """Options of the draft model; llama.cpp is the only one that takes them with a request. With
    the prefix none of them can pass for another field."""
    if server in {Server.LLAMA_CPP, Server.UNKNOWN}:
        return {f"speculative.{name}": value for name, value in controls.draft.items()}
    raise refusal(route, "draft")


def _effort_fields(server: Server, route: Route, effort: str) -> dict[str, Any]:
    if not effort:
        return {}
    demand(route, Capability.REASONING, "reasoning_effort")
    if server is Server.LLAMA_CPP:  # its templates read it
        return {"chat_template_kwargs": {"reasoning_effort": effort}}
    return {"reasoning_effort": effort}


def _structure(route: Route, controls: Controls) -> dict[str, Any]:
    fields = structure_fields(route, controls)
    if fields is None:
        raise refusal(route, demanded_form(controls), Sentence("form_not_known"))
    return fields
