"""What each rule of the installation would say about a text, in each of its places."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from asgiref.sync import async_to_sync

from accounts.models import User
from accounts.payers import payer_of
from agents.guardrails.asking import Asking
from agents.guardrails.forms import in_one_line
from agents.guardrails.guard import Guard, sentence_of
from agents.guardrails.rules import AnyRule, stored
from agents.guardrails.types import Action, Place, Unchecked
from agents.guardrails.vault import Vault, masked, put
from agents.guardrails.wording import ACTIONS, PLACES
from gateway.chat import stream_chat
from gateway.routing.routes import find_routes
from gateway.types import Payer
from gateway.upstream.session import close_pool


@dataclass(frozen=True, slots=True)
class Said:
    """Of one rule in one place. `text` is what would be left of the text where it masks."""

    place: str
    rule: str
    about: str
    action: str  # empty where it has nothing to say
    action_name: str
    sentence: str
    text: str = ""


def try_text(user: User, rules: Iterable[AnyRule], text: str) -> list[Said]:
    """In the order of the rules; those that ask an endpoint do, on the person's account."""
    return async_to_sync(_tried)(user, payer_of(user, "guardrail"), tuple(rules), text)


async def _tried(user: User, payer: Payer, rules: tuple[AnyRule, ...], text: str) -> list[Said]:
    asking = Asking(user, payer, (), stream_chat, find_routes)
    guard = Guard(rules, asking, Vault("trying"), ())
    try:
        return [await _said(guard, rule, text) for rule in rules]
    finally:
        await close_pool()


async def _said(guard: Guard, rule: AnyRule, text: str) -> Said:
    places = ", ".join(str(PLACES[Place(one)]) for one in rule.places)
    about = in_one_line(stored(rule), is_named=False)
    nothing = Said(places, rule.name, about, "", "", "")
    try:
        finding = await guard.find(rule, text)
    except Unchecked as error:
        why: Any = error.args[0] if error.args else ""
        return Said(places, rule.name, about, "failed", "", str(why))
    if finding is None:
        return nothing
    said = sentence_of(rule, Place(rule.places[0]), finding.counts, finding.detail)
    left = ""
    if rule.action == Action.MASK:
        left = put(text, ((span, masked(span)) for span in finding.spans))
    name = str(ACTIONS[Action(rule.action)])
    return Said(places, rule.name, about, rule.action, name, str(said), left)
