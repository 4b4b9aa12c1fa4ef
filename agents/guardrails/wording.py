"""What rules did, in words (`security.sentences`), and what forms call their parts."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from agents.guardrails.types import Action, Kind, OnFailure, Place
from security.sentences import declare

KINDS = {
    Kind.PERSONAL: _("Data of people"),
    Kind.SECRETS: _("Keys and passwords"),
    Kind.REGEX: _("A pattern"),
    Kind.DOMAINS: _("Allowed domains"),
    Kind.LENGTH: _("Length"),
    Kind.LANGUAGE: _("Languages"),
    Kind.TOPIC: _("Topic"),
    Kind.MODERATION: _("Moderation endpoint"),
    Kind.JUDGE: _("A model that judges"),
    Kind.INJECTION: _("Signs of injection"),
}
PLACES = {
    Place.INPUT: _("the question"),
    Place.RETRIEVED: _("found passages"),
    Place.TOOL_CALL: _("calls of tools"),
    Place.TOOL_RESULT: _("results of tools"),
    Place.OUTPUT: _("the answer"),
}
ACTIONS = {
    Action.BLOCK: pgettext_lazy("guardrail", "block"),
    Action.MASK: pgettext_lazy("guardrail", "mask"),
    Action.WARN: pgettext_lazy("guardrail", "warn"),
    Action.ASK: pgettext_lazy("guardrail", "ask the person"),
}
ON_FAILURE = {
    OnFailure.CLOSED: _("stop"),
    OnFailure.OPEN: _("let it pass, and say so"),
}
LABELS = {
    "email": _("e-mail addresses"),
    "phone": _("telephone numbers"),
    "card": _("card numbers"),
    "iban": _("account numbers"),
    "identity": _("identity numbers"),
    "secret": _("keys and passwords"),
    "link": _("addresses elsewhere"),
    "masked": _("matches of the pattern"),
    "injection": _("wordings that want to be obeyed"),
}
# What is said of a whole text, by kind.
WHOLE = {
    Kind.LENGTH: _("{what} characters"),
    Kind.LANGUAGE: _("the language {what}"),
    Kind.TOPIC: _("the topic"),
    Kind.MODERATION: _("flagged: {what}"),
    Kind.JUDGE: _("judged so by a model"),
}

declare(
    {
        "guardrail_blocked_input": _(
            "This question was not passed on, by the rule “{rule}”. {reason}"
        ),
        "guardrail_blocked_retrieved": _(
            "A passage that was found was left out by the rule “{rule}”. {reason}"
        ),
        "guardrail_blocked_tool_call": _("The call is not made, by the rule “{rule}”. {reason}"),
        "guardrail_blocked_tool_result": _(
            "The result of a tool was withheld by the rule “{rule}”. {reason}"
        ),
        "guardrail_blocked_output": _(
            "The answer was held back from here on, by the rule “{rule}”. {reason}"
        ),
        "guardrail_masked_input": _(
            "Kept from the model in what you wrote, by the rule “{rule}”: {found}."
        ),
        "guardrail_masked_retrieved": _(
            "Kept from the model in what was found, by the rule “{rule}”: {found}."
        ),
        "guardrail_masked_tool_call": _(
            "Taken out of a call of a tool by the rule “{rule}”: {found}."
        ),
        "guardrail_masked_tool_result": _(
            "Kept from the model in the result of a tool, by the rule “{rule}”: {found}."
        ),
        "guardrail_masked_output": _("Masked in the answer by the rule “{rule}”: {found}."),
        "guardrail_warned": _("The rule “{rule}” points out in {place}: {found}. {reason}"),
        "guardrail_asks": _("The rule “{rule}” wants you to be asked. {reason}"),
        "guardrail_unchecked_open": _(
            "The rule “{rule}” could not be checked and was passed over ({why})."
        ),
        "guardrail_unchecked_closed": _(
            "The rule “{rule}” could not be checked, and so stops this ({why})."
        ),
        "guardrail_unreadable": _(
            "A guardrail of this agent or of this Parley cannot be read by this version, so "
            "nothing is passed on. Tell an administrator."
        ),
        "guardrail_in_form": _(
            "This question was not passed on: what a rule hides cannot be hidden in its “{name}”."
        ),
        "guardrail_found": _("It found {found}."),
        "guardrail_count": "{label} ({n})",
        **{f"guardrail_label_{name}": text for name, text in LABELS.items()},
        **{f"guardrail_whole_{kind.value}": text for kind, text in WHOLE.items()},
        **{f"guardrail_place_{place.value}": text for place, text in PLACES.items()},
        "guardrail_why_pattern": _("its pattern took too long"),
        "guardrail_why_many": _("it finds too much in one text"),
        "guardrail_why_long": _("the text is longer than can be judged"),
        "guardrail_why_silent": _("the endpoint did not answer in time"),
        "guardrail_why_failed": _("the endpoint failed"),
        "guardrail_why_nonsense": _("the answer was no verdict"),
        "guardrail_why_nobody": _("no endpoint that may see this is connected for it"),
    }
)
