"""Everything that can go wrong between Parley and a model.

    GatewayError
    ├── EndpointUnreachable     no connection: name, refused, TLS, reset
    ├── EndpointTimeout         connected, but silent for too long
    ├── RateLimited             429; `retry_after` seconds if the server said so
    ├── BadCredentials          401, 403
    ├── ModelNotFound           the server does not have this model
    ├── StreamCut               the answer ended without a finish reason
    ├── UpstreamFailed          5xx, an error inside the stream, or an answer that makes no sense
    ├── BadRequest              the server refuses what we sent
    │   ├── ContextOverflow     the prompt is longer than the model's context
    │   └── UnsupportedControl  the server cannot do what the request demands; said before asking
    ├── InvalidAnswer           the answer has not the demanded form, also when asked once more
    ├── ContentFiltered         the server's filter refused the answer
    ├── EndpointBusy            none of its parallel requests came free in time; it was not asked
    ├── NoEndpointAllowed       none has the labels or abilities that are demanded; none was asked
    └── BudgetExhausted         a budget has not as much left as this may take; it was not asked

`type` is stable and goes into events, usage rows and API problems. `is_transient`: worth one more
try on the same endpoint. `may_switch`: another deployment may answer instead. `is_outage`: the
endpoint is at fault, so the offline answerer stands in when no deployment is left.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from math import ceil
from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from security.sentences import Sentence, declare
from security.text import storable

SECONDS_OF_A_CALL = 5  # after which one that holds some of a budget may be done


class GatewayError(Exception):
    """A model could not answer; the text says why and what helps. `detail` is the server's own
    words, or a Sentence."""

    type: ClassVar[str] = "gateway_error"
    title: ClassVar[str | Promise] = _("The model could not answer.")
    is_transient: bool = False
    may_switch: bool = True
    is_outage: ClassVar[bool] = True

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "type" in vars(cls):
            declare({cls.type: cls.title})

    def __init__(self, detail: str = "") -> None:
        self.detail = detail if isinstance(detail, Sentence) else storable(detail)
        super().__init__(self.detail)

    def __str__(self) -> str:
        return self.said

    @property
    def said(self) -> Sentence:
        """Title and detail, to be kept and said again in another language."""
        return Sentence(self.type, detail=self.detail)


declare({GatewayError.type: GatewayError.title})


class EndpointUnreachable(GatewayError):
    type = "endpoint_unreachable"
    title = _("The model's server cannot be reached.")

    def __init__(self, detail: str = "", *, was_dropped: bool = False) -> None:
        super().__init__(detail)
        # A kept connection that the server closed meanwhile; a new one usually works.
        self.is_transient = was_dropped


class EndpointTimeout(GatewayError):
    type = "endpoint_timeout"
    title = _("The model's server did not answer in time.")


class RateLimited(GatewayError):
    type = "rate_limited"
    title = _("The model's server asks for a pause.")
    is_transient = True

    def __init__(self, detail: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class BadCredentials(GatewayError):
    type = "bad_credentials"
    title = _("The model's server refuses the API key.")


class ModelNotFound(GatewayError):
    type = "model_not_found"
    title = _("The server does not offer this model at this address.")


class StreamCut(GatewayError):
    type = "stream_cut"
    title = _("The model's answer was cut off.")
    is_transient = True


class UpstreamFailed(GatewayError):
    type = "upstream_failed"
    title = _("The model's server failed.")
    is_transient = True


class BadRequest(GatewayError):
    type = "bad_request"
    title = _("The model's server refuses the request.")
    may_switch = False
    is_outage = False


class ContextOverflow(BadRequest):
    type = "context_overflow"
    title = _("The conversation and its passages are longer than the model can read.")
    may_switch = True  # another deployment may read more
    prompt_tokens: int | None = None  # what was sent and what fits, where the server says it
    limit: int | None = None


class UnsupportedControl(BadRequest):
    """`control` is the name of the field that cannot be served, the detail says why."""

    type = "unsupported_control"
    title = _("The model's server cannot do what the request demands.")
    may_switch = True  # another deployment may be able to

    def __init__(self, detail: str = "", *, control: str = "") -> None:
        super().__init__(detail)
        self.control = control


class InvalidAnswer(GatewayError):
    type = "invalid_answer"
    title = _("The model's answer does not have the demanded form.")
    is_outage = False


class ContentFiltered(GatewayError):
    type = "content_filtered"
    title = _("The model's server filtered the answer.")
    may_switch = False
    is_outage = False


class EndpointBusy(GatewayError):
    type = "endpoint_busy"
    title = _("The model is busy.")


class NoEndpointAllowed(GatewayError):
    """`labels` are those that were demanded, if it was for them."""

    type = "no_endpoint_allowed"
    title = _("No endpoint may answer this.")
    may_switch = False
    is_outage = False

    def __init__(self, detail: str = "", *, labels: frozenset[str] = frozenset()) -> None:
        super().__init__(detail)
        self.labels = labels


class BudgetExhausted(GatewayError):
    """`owner` says whose budget it is, `unit` what `left` and `needed` count: tokens, money,
    requests, storage. `needed` is None where nobody knows the price. `is_held` where it would be
    enough without the calls under way.

    `falls_back` where a cheaper deployment may answer instead; `fall_back_to` is the cheaper model
    that may, if one is named.
    """

    type = "budget_exhausted"
    title = _("A budget does not allow this.")
    may_switch = False
    is_outage = False

    def __init__(
        self,
        detail: str,
        *,
        name: str,
        owner: str,
        unit: str,
        left: Decimal,
        needed: Decimal | None,
        resets_at: datetime | None,
        is_held: bool = False,
        falls_back: bool = False,
        fall_back_to: str = "",
    ) -> None:
        super().__init__(detail)
        self.name = name
        self.owner = owner
        self.unit = unit
        self.left = left
        self.needed = needed
        self.resets_at = resets_at
        self.is_held = is_held
        self.may_switch = falls_back
        self.fall_back_to = fall_back_to

    @property
    def retry_after(self) -> int | None:
        """Seconds until it resets, few where calls under way are in the way; None where it does
        not, or where waiting does not help."""
        if self.is_held:
            return SECONDS_OF_A_CALL
        if self.resets_at is None or self.needed is None:
            return None
        return max(1, ceil((self.resets_at - datetime.now(UTC)).total_seconds()))
