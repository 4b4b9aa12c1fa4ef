"""Why a call is made, asked about or not made, in words (`security.sentences`)."""

from django.utils.translation import gettext_lazy as _

from agents.authority.rules import Judged
from security.sentences import Sentence, declare

PREFIX = "policy_"

declare(
    {
        "policy_computes": _("It only computes."),
        "policy_reads": _("It reads what you may read yourself."),
        "policy_changes": _("It changes something that stays."),
        "policy_changes_untrusted": _(
            "It changes something that stays, after text was read that nobody answers for."
        ),
        "policy_changes_both": _(
            "It changes something that stays, after private data and text that nobody answers for "
            "were read: you are asked every time."
        ),
        "policy_sends": _("It talks to somebody outside."),
        "policy_sends_untrusted": _(
            "It talks to somebody outside, after text was read that nobody answers for."
        ),
        "policy_sends_private": _(
            "It talks to somebody outside, after data was read that not everybody may read."
        ),
        "policy_sends_both": _(
            "It talks to somebody outside, after private data and text that nobody answers for "
            "were read: you are asked every time."
        ),
        "policy_rule": _("By a rule of the administrators. {reason}"),
        "canary_seen": _(
            "This answer repeats a word that belongs to the agent's instructions alone: something "
            "made it tell them. The administrators were told."
        ),
        "canary_in_arguments": _(
            "The call would hand the agent's instructions to a tool. It was not made, and the "
            "administrators were told."
        ),
        "marker_seen": _(
            "This answer repeats a hidden mark that stands beside a collection's documents: "
            "something made it copy what it was shown. The administrators were told."
        ),
        "marker_in_arguments": _(
            "The call would hand on a copy of what was read in a collection that watches for that. "
            "It was not made, and the administrators were told."
        ),
        "approval_replayed": _("It was approved for one call, and that call was made."),
        "approval_swapped": _("This is not the call that was asked about."),
        "approval_denied": _("The person did not approve it. Go on without it."),
        "approval_expired": _("Nobody approved it in time. Go on without it."),
        "approval_unreadable": _("Its arguments are too long to be shown to a person, or no text."),
        "sign_in_wanted": _(
            "{server} works with an account of yours, and does not let you in at the moment. "
            "Nothing has been called."
        ),
        "sign_in_declined": _(
            "The person did not connect their account at {server}. Go on without it."
        ),
        "sign_in_elsewhere": _(
            "{server} needs the person to connect their account in the browser: Settings, "
            "Connections."
        ),
        "approval_elsewhere": _(
            "It needs the person's approval, and nobody can be asked here. {reason} Ask for it in "
            "a conversation in the browser and approve it there; “always” holds here too."
        ),
    }
)


def reason_of(judged: Judged) -> Sentence:
    if judged.ruling.why == "rule" and judged.rule is not None:
        return Sentence("policy_rule", reason=judged.rule.reason)
    return Sentence(PREFIX + judged.ruling.why)
