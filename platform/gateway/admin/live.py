"""Endpoints with their state right now, on their list and on their page."""

from collections.abc import Iterable
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from gateway.controls import Capability
from gateway.models import Deployment, Endpoint
from gateway.routing.state import read_states
from security.lists import ShortList

# In the order in which people ask for them.
NAMES = {
    Capability.VISION: pgettext_lazy("capability", "images"),
    Capability.TOOLS: pgettext_lazy("capability", "tools"),
    Capability.REASONING: pgettext_lazy("capability", "reasoning"),
    Capability.PREFIX: pgettext_lazy("capability", "going on"),
    Capability.JSON_SCHEMA: pgettext_lazy("capability", "JSON Schema"),
    Capability.CHOICES: pgettext_lazy("capability", "choices"),
    Capability.REGEX: pgettext_lazy("capability", "patterns"),
    Capability.GRAMMAR: pgettext_lazy("capability", "grammars"),
    Capability.LOGPROBS: pgettext_lazy("capability", "log probabilities"),
    Capability.LOGIT_BIAS: pgettext_lazy("capability", "word bias"),
    Capability.TOKENIZE: pgettext_lazy("capability", "tokenizer"),
    Capability.PREDICTION: pgettext_lazy("capability", "predicted text"),
    Capability.LORA: pgettext_lazy("capability", "adapters"),
    Capability.CACHE_KEY: pgettext_lazy("capability", "keys of its prompt cache"),
    Capability.CACHE_MARKS: pgettext_lazy("capability", "marks of its prompt cache"),
    Capability.CACHE_SALT: pgettext_lazy("capability", "a prompt cache for each account"),
    Capability.EMBEDDINGS: pgettext_lazy("capability", "embeddings"),
    Capability.RERANK: pgettext_lazy("capability", "reranking"),
}


class LiveChangeList(ShortList):
    """The states of all rows on the page are read at once."""

    def get_results(self, request: Any) -> None:
        super().get_results(request)
        self.result_list = with_states(self.result_list)


def with_states(endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    """The endpoints, each with `state`, `standing` and `error_share`: one round trip for all."""
    rows = list(endpoints)
    states = read_states([endpoint.pk for endpoint in rows])
    for endpoint in rows:
        endpoint.state = states[endpoint.pk]  # type: ignore[attr-defined]
        endpoint.standing = standing_of(endpoint)  # type: ignore[attr-defined]
        endpoint.error_share = round(100 * states[endpoint.pk].error_rate)  # type: ignore[attr-defined]
    return rows


def standing_of(endpoint: Any) -> tuple[str, str]:
    """A colour (ok, warn, bad or off) and a word for how the endpoint does."""
    state = endpoint.state
    if not endpoint.is_enabled:
        return "off", _("disabled")
    if endpoint.is_draining:
        return "off", _("draining")
    if state.breaker == "open":
        return "bad", _("out of order")
    if state.breaker == "half_open":
        return "warn", _("being tried")
    if state.cooling_until and state.cooling_until > timezone.now():
        return "warn", _("pausing")
    return "ok", _("working")


def abilities(deployment: Deployment) -> list[dict[str, Any]]:
    """What is known of each capability, by hand or by the test; what nobody knows is left out."""
    return [
        {
            "name": label,
            "has": deployment.has(capability),
            "is_by_hand": capability.value in deployment.capabilities,
        }
        for capability, label in NAMES.items()
        if capability.value in deployment.probed | deployment.capabilities
    ]
