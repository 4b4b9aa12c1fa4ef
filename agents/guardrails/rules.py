"""Guardrails as they are stored, in an agent's content or by an administrator, and checked."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal

import orjson
from django.utils.translation import gettext as _
from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationInfo,
    model_validator,
)

from agents.guardrails.patterns import LONGEST, compiled, require_quick
from agents.guardrails.types import Action, Kind, OnFailure, Place
from security.schemas import WriteSchema

MOST = 30  # of an agent
PLACES = frozenset(Place)
SPEAKING = frozenset({Place.INPUT, Place.OUTPUT})
LANGUAGES = {
    "en": "English", "zh-hans": "简体中文", "zh-hant": "繁體中文", "ja": "日本語", "ko": "한국어",
    "de": "Deutsch", "fr": "Français", "es": "Español", "it": "Italiano", "pt": "Português",
    "nl": "Nederlands", "ru": "Русский", "uk": "Українська", "ar": "العربية", "he": "עברית",
    "el": "Ελληνικά", "hi": "हिन्दी", "th": "ไทย",
}  # fmt: skip  # those that `knowledge.languages` tells apart
DATA = ("email", "phone", "card", "iban", "identity")

STORED = {"is_stored": True}  # the context of rules that were checked when they were written

_HOST = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)


def _language(value: str) -> str:
    if value not in LANGUAGES:
        raise ValueError(
            _("The language %(name)s is not told apart here. There are: %(all)s.")
            % {"name": value, "all": ", ".join(LANGUAGES)}
        )
    return value


def _host(value: str) -> str:
    host = value.strip().lower().removeprefix("*.").strip(".")
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            host = "?"
    if not _HOST.fullmatch(host):
        raise ValueError(_("%s is no domain. Write it as example.org.") % value)
    return host


def _quick(value: str, info: ValidationInfo) -> str:
    """Trying it takes a second or so: whoever writes it waits, not each process that reads it."""
    ignores_case = bool(info.data.get("ignores_case"))
    if info.context is STORED:
        compiled(value, ignores_case)
    else:
        require_quick(value, ignores_case)
    return value


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
Host = Annotated[str, StringConstraints(max_length=253), AfterValidator(_host)]
Language = Annotated[str, AfterValidator(_language)]


class Rule(WriteSchema):
    """What all guardrails have. Which actions and places one may have is for its kind to say."""

    actions: ClassVar[frozenset[Action]] = frozenset({Action.BLOCK, Action.WARN, Action.ASK})
    possible: ClassVar[frozenset[Place]] = PLACES
    asks_somebody: ClassVar[bool] = False  # whether a check is a call of an endpoint

    name: Name = Field(description="It is shown to whoever the rule stops.")
    places: Annotated[list[Place], Field(min_length=1, max_length=5)]
    action: Action = Field(description="`ask` is for calls of tools alone.")
    on_failure: OnFailure = Field(
        OnFailure.CLOSED, description="Where it cannot be checked: pass (`open`) or stop."
    )
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)] = Field(
        "", description="Is shown to whoever the rule stops; empty: what was found."
    )

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _can_be(self) -> "Rule":
        if self.action not in self.actions:
            raise ValueError(self._not_this_action())
        if not set(self.places) <= self.possible:
            allowed = ", ".join(place for place in Place if place in self.possible)
            raise ValueError(_("This kind of rule is for these places: %s.") % allowed)
        if self.action == Action.ASK and set(self.places) != {Place.TOOL_CALL}:
            raise ValueError(_("Only about calls of tools somebody can be asked."))
        return self

    def _not_this_action(self) -> str:
        if self.action == Action.MASK:
            return _("This kind of rule judges a text as a whole: it cannot mask parts of it.")
        return _("This kind of rule cannot do that.")


class FindsParts(Rule):
    actions = frozenset(Action)


class RegexRule(FindsParts):
    kind: Literal[Kind.REGEX]
    ignores_case: bool = False  # before the pattern, which is tried as it will be used
    pattern: Annotated[
        str, StringConstraints(min_length=1, max_length=LONGEST), AfterValidator(_quick)
    ]


class SecretsRule(FindsParts):
    kind: Literal[Kind.SECRETS]


class PersonalRule(FindsParts):
    kind: Literal[Kind.PERSONAL]
    data: Annotated[
        list[Literal["email", "phone", "card", "iban", "identity"]], Field(min_length=1)
    ] = Field(["email", "phone", "card", "iban", "identity"], description="Which kinds of data.")


class DomainsRule(FindsParts):
    possible = frozenset({Place.OUTPUT, Place.TOOL_CALL, Place.INPUT})

    kind: Literal[Kind.DOMAINS]
    allowed: Annotated[list[Host], Field(max_length=200)] = Field(
        [], description="Hosts that links and addresses may lead to, those below them included."
    )


class LengthRule(Rule):
    kind: Literal[Kind.LENGTH]
    most: int = Field(ge=1, le=1_000_000, description="Characters.")


class LanguageRule(Rule):
    possible = SPEAKING

    kind: Literal[Kind.LANGUAGE]
    languages: Annotated[list[Language], Field(min_length=1, max_length=20)]


class TopicRule(Rule):
    possible = SPEAKING
    asks_somebody = True

    kind: Literal[Kind.TOPIC]
    mode: Literal["only", "never"] = Field(description="Whether it must be about this, or not.")
    examples: Annotated[list[Words], Field(min_length=1, max_length=30)]
    threshold: float = Field(
        0.35, ge=0.05, le=0.95, description="Nearness (cosine) from which a text is about it."
    )


class ModerationRule(Rule):
    asks_somebody = True

    kind: Literal[Kind.MODERATION]
    model: Annotated[str, StringConstraints(max_length=120)] = Field(
        "", description="Of the kind moderation; empty: the default one."
    )
    categories: Annotated[
        list[Annotated[str, StringConstraints(max_length=60)]], Field(max_length=40)
    ] = Field([], description="As the endpoint calls them; empty: all that it flags.")


class JudgeRule(Rule):
    asks_somebody = True

    kind: Literal[Kind.JUDGE]
    model: Annotated[str, StringConstraints(max_length=120)] = Field(
        "", description="Empty: the default model."
    )
    criterion: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=5, max_length=2000)
    ] = Field(description="When a text breaks the rule, in words for the model that judges.")


class InjectionRule(Rule):
    """It only advises."""

    actions = frozenset({Action.WARN})
    possible = frozenset({Place.INPUT, Place.RETRIEVED, Place.TOOL_RESULT})

    kind: Literal[Kind.INJECTION]

    def _not_this_action(self) -> str:
        return _(
            "Finding injections is advice: it misses most and hits innocent texts. It can only "
            "warn; what tools may do is for the rules about tools to say."
        )


Guardrail = Annotated[
    RegexRule
    | SecretsRule
    | PersonalRule
    | DomainsRule
    | LengthRule
    | LanguageRule
    | TopicRule
    | ModerationRule
    | JudgeRule
    | InjectionRule,
    Field(discriminator="kind"),
]
AnyRule = (
    RegexRule | SecretsRule | PersonalRule | DomainsRule | LengthRule | LanguageRule | TopicRule
    | ModerationRule | JudgeRule | InjectionRule
)  # fmt: skip
ADAPTER: TypeAdapter[AnyRule] = TypeAdapter(Guardrail)


def stored(rule: AnyRule) -> dict[str, Any]:
    """As JSON keeps it, in one form: equal rules are equal."""
    return rule.model_dump(mode="json")


def parse(kept: Iterable[Mapping[str, Any]]) -> tuple[AnyRule, ...]:
    """Rules that were stored. Raises ValidationError for what this version does not know: a rule
    that cannot be read must not be passed over."""
    return tuple(_parsed(orjson.dumps(dict(one), option=orjson.OPT_SORT_KEYS)) for one in kept)


@lru_cache(maxsize=2000)
def _parsed(kept: bytes) -> AnyRule:
    return ADAPTER.validate_json(kept, context=STORED)
