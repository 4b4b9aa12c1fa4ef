"""Price lists: what a file says deployments cost, what of that is new, and taking it over.

Two shapes are read: LiteLLM's `model_prices_and_context_window.json`, dollars for a token, and CSV
with the columns `model`, `prompt` and `completion`, and any of `endpoint`, `cached`, `cache_write`,
`request` and `currency`: prices of a million tokens. A deployment is found by its name at the
endpoint, also where the list writes a provider before it, as `openai/gpt-4o`.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from gateway.metering.prices import MILLION, NAMES, told
from gateway.models import Deployment
from gateway.routing.routes import forget_routes
from security import audit
from security.acts import Act

LARGEST_FILE = 16 * 2**20
LARGEST_PRICE = Decimal(10**6)
STEP = Decimal("0.000001")
LITELLM = {
    "prompt_price": "input_cost_per_token",
    "completion_price": "output_cost_per_token",
    "cached_price": "cache_read_input_token_cost",
    "cache_write_price": "cache_creation_input_token_cost",
    "request_price": "input_cost_per_request",
}
CSV = {
    "prompt_price": "prompt",
    "completion_price": "completion",
    "cached_price": "cached",
    "cache_write_price": "cache_write",
    "request_price": "request",
}
Prices = Mapping[str, Any]  # by the names of `gateway.metering.prices`


class NoPriceList(ValueError):
    """The file is none of the two shapes; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a list says of a model; of one endpoint alone where it names one."""

    model: str
    prices: Prices
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What a deployment costs, and what it would cost."""

    deployment: Deployment
    after: Prices

    @property
    def before(self) -> Prices:
        return {name: getattr(self.deployment, name) for name in NAMES}

    @property
    def told(self) -> tuple[list[str], list[str]]:
        """Before and after, for people."""
        return told(self.before), told(self.after)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A list beside what there is. `unclear` have several prices in it, `unknown` none."""

    changes: tuple[Change, ...]
    same: tuple[Deployment, ...]
    unclear: tuple[Deployment, ...]
    unknown: tuple[Deployment, ...]


def read_list(data: bytes) -> list[Entry]:
    """The entries of a file with a price in them; raises NoPriceList."""
    if len(data) > LARGEST_FILE:
        raise NoPriceList(_("The file is larger than 16 MB."))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NoPriceList(_("The file is no text in UTF-8.")) from error
    entries = _of_json(text) if text.lstrip().startswith("{") else _of_csv(text)
    found = [entry for entry in entries if entry.prices]
    if not found:
        raise NoPriceList(_("The file has no prices."))
    return found


def compare(entries: Iterable[Entry], deployments: Iterable[Deployment]) -> Comparison:
    """An entry that is named like the deployment counts more than one behind a provider's name."""
    exact: dict[str, list[Entry]] = {}
    behind: dict[str, list[Entry]] = {}
    for entry in entries:
        exact.setdefault(entry.model, []).append(entry)
        behind.setdefault(entry.model.rsplit("/", 1)[-1], []).append(entry)
    changes, same, unclear, unknown = [], [], [], []
    for deployment in deployments:
        name = deployment.upstream_name
        fits = _fitting(exact.get(name, ()), deployment) or _fitting(
            behind.get(name.rsplit("/", 1)[-1], ()), deployment
        )
        found = _distinct(fits)
        if not found:
            unknown.append(deployment)
        elif len(found) > 1:
            unclear.append(deployment)
        elif (change := Change(deployment, found[0])).before == change.after:
            same.append(deployment)
        else:
            changes.append(change)
    return Comparison(tuple(changes), tuple(same), tuple(unclear), tuple(unknown))


@transaction.atomic
def take_over(changes: Iterable[Change]) -> int:
    """The prices count from now on; what was before stays in the history. Audited."""
    count = 0
    for change in changes:
        for name, value in change.after.items():
            setattr(change.deployment, name, value)
        change.deployment.save(update_fields=list(NAMES))
        count += 1
    if count:
        audit.record(Act.PRICES_TAKEN, count=count)
    transaction.on_commit(forget_routes)
    return count


def _fitting(entries: Sequence[Entry], deployment: Deployment) -> list[Entry]:
    endpoint = deployment.endpoint.name
    own = [entry for entry in entries if entry.endpoint == endpoint]
    return own or [entry for entry in entries if not entry.endpoint]


def _distinct(entries: Sequence[Entry]) -> list[Prices]:
    found: list[Prices] = []
    for entry in entries:
        if entry.prices not in found:
            found.append(entry.prices)
    return found


def _of_json(text: str) -> Iterator[Entry]:
    try:
        models = json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise NoPriceList(_("The file is no valid JSON.")) from error
    for model, entry in models.items():
        if isinstance(entry, dict) and model != "sample_spec":
            once = {name: entry.get(key) for name, key in LITELLM.items()}
            prices = {name: _price(value, MILLION if name != "request_price" else 1)
                      for name, value in once.items()}  # fmt: skip
            yield Entry(model, _all(prices, "USD"))


def _of_csv(text: str) -> Iterator[Entry]:
    rows = csv.DictReader(io.StringIO(text))
    columns = [(name or "").strip().lower() for name in rows.fieldnames or ()]
    if not {"model", "prompt", "completion"} <= set(columns):
        raise NoPriceList(_("The first line needs the columns model, prompt and completion."))
    rows.fieldnames = columns
    try:
        for row in rows:
            prices = {name: _price(row.get(key)) for name, key in CSV.items()}
            currency = (row.get("currency") or "USD").strip().upper()
            is_one = len(currency) == 3 and currency.isascii() and currency.isalpha()
            endpoint = (row.get("endpoint") or "").strip()
            yield Entry(
                str(row["model"]).strip(), _all(prices, currency) if is_one else {}, endpoint
            )
    except csv.Error as error:
        raise NoPriceList(_("The file is no valid CSV.")) from error


def _all(prices: dict[str, Decimal | None], currency: str) -> Prices:
    """Nothing where neither prompt nor answer has a price."""
    if prices["prompt_price"] is None and prices["completion_price"] is None:
        return {}
    return {name: currency if name == "currency" else prices[name] for name in NAMES}


def _price(value: Any, times: int = 1) -> Decimal | None:
    """None for what is missing, or odd."""
    text = str(value).strip() if isinstance(value, str | int | Decimal) else ""
    try:
        price = Decimal(text) * times
    except InvalidOperation:
        return None
    if not price.is_finite() or not 0 <= price < LARGEST_PRICE:
        return None
    return price.quantize(STEP)
