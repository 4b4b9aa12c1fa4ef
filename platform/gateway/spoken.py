"""What the gateway says, by the codes under which it is kept (`security.sentences`).

The titles of failures are beside their classes, which declare them.
"""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from gateway import errors, labels
from security.sentences import declare

DECLARED = (errors, labels)  # with them every failure there is

declare(
    {
        "no_connection": _("It did not accept a connection."),
        "no_answer": _("It did not begin to answer."),
        "empty_answer": _("It sent an empty answer."),
        "no_completion": _("It answered with {kind} that is not a chat completion."),
        "no_completion_event": _("It sent an event that is not a chat completion."),
        "event_too_large": _("It sent one event of more than 4 MB."),
        "cannot_continue": _("Such an answer cannot be continued."),
        "invalid_url": _("Its address is not a valid URL."),
        "closed": _("The connection was closed."),
        "bad_certificate": _("Its TLS certificate is not accepted."),
        "bad_tls": _("TLS fails; perhaps the address begins with http:// instead of https://."),
        "unknown_name": _("Its name is unknown; check the address for typos."),
        "nothing_listens": _("Nothing listens there; is the server running?"),
        "not_sendable": _("Part of it is nested too deeply, or is too large a number, to send on."),
        "redirect": _("It redirects to {target}."),
        "no_free_request": ngettext_lazy(
            "None of its parallel requests came free within {n} second.",
            "None of its parallel requests came free within {n} seconds.",
            "n",
        ),
        "labels_demanded": _(
            "None of its endpoints that are on has all the labels that are demanded: {labels}."
        ),
        "none_takes": _("None of the endpoints that may answer takes {what}."),
        "tools": _("tools"),
        "images": _("images"),
        "by_agent": _("the agent “{name}”"),
        "by_team": _("the team “{name}”"),
        "by_collection": _("the collection “{name}”"),
        "by_earlier": _("an earlier answer in this conversation"),
        "label_by": _("“{label}” ({by})"),
        "labels_lacking": _(
            "Its endpoints lack a label that is demanded: {labels}. Nothing was sent. Choose "
            "another model, or ask an administrator."
        ),
    }
)
