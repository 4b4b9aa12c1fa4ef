"""What an answer's reader is told about it, by the codes under which that is kept
(`security.sentences`)."""

from django.utils.translation import gettext_lazy as _

from security.sentences import declare

declare(
    {
        "stood_in": _("The model could not answer, so your documents are quoted. {reason}"),
        "cheaper": _("A cheaper model answered. {reason}"),
        "switched": _("Another endpoint answered. {reason}"),
        "length_limit": _("The answer reached its length limit and ends early."),
        "offline": _("Quoted from your documents; no model is connected."),
        "memory_is_off": _(
            "Nothing was saved: memory is off here. You can switch it on in Settings."
        ),
        "file_deleted": _("“{name}” was deleted."),
        "file_unreadable": _("“{name}” could not be read: {reason}"),
        "file_still_read": _("“{name}” was still being read; ask again in a moment."),
        "model_is_blind": _("The model cannot see images, so the answer does without them."),
        "tools_unknown_to_model": _("The model cannot call tools, so it answered without them."),
        "run_limit_steps": _(
            "The agent stopped after {most} steps, its limit, and answered with what it had."
        ),
        "run_limit_calls": _(
            "The agent stopped after {most} calls of tools, its limit, and answered with what it "
            "had."
        ),
        "run_limit_tokens": _(
            "The agent stopped after {most} tokens, its limit, and answered with what it had."
        ),
        "run_limit_seconds": _(
            "The agent stopped after {most} seconds, its limit, and answered with what it had."
        ),
        "run_limit_repeats": _(
            "The agent made the same call more than {most} times, was stopped, and answered with "
            "what it had."
        ),
        "run_limit_money": _(
            "The agent stopped once it had cost {most}, its limit, and answered with what it had."
        ),
        "run_limit_price": _(
            "The agent may cost {most} at most, but nobody has entered what its model costs: it "
            "stopped and answered with what it had."
        ),
        "ask_agent": _("Ask {name}"),
        "hand_over_to_agent": _("Hand over to {name}"),
        "handed_to_nobody": _("It was to be handed over to an agent that cannot be used any more."),
        "too_many_images": _("There were more images than the agent has room for."),
    }
)
