"""What the gateway says, by the codes under which it is kept (`security.sentences`).

The titles of failures are beside their classes, which declare them.
"""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from gateway import errors, labels
from gateway.complexity import wording
from gateway.routing import reasons
from security.sentences import declare

DECLARED = (errors, labels, reasons, wording)  # with them every failure and choice there is

declare(
    {
        "no_connection": _("It did not accept a connection."),
        "no_answer": _("It did not begin to answer."),
        "empty_answer": _("It sent an empty answer."),
        "no_completion": _("It answered with {kind} that is not a chat completion."),
        "no_completion_event": _("It sent an event that is not a chat completion."),
        "event_too_large": _("It sent one event of more than 4 MB."),
        "cannot_continue": _("Such an answer cannot be continued."),
        "fell_silent": _("It stopped in the middle."),
        "took_too_long": _("The answer took too long as a whole."),
        "half_tool_call": _("It sent a tool call that is not whole."),
        "nobody_offers": _("No enabled endpoint offers this model."),
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

declare(  # why a control is refused
    {
        "does_not_do": _("{endpoint} does not do “{control}” with {model}."),
        "form_not_known": _("It is not known to keep to one; “Test connection” tries it."),
        "only_one_form": _("Only one of {names} can be set."),
        "no_form": _("The demanded form is not one: {reason}"),
        "chunks_only": _("Several answers come as chunks only."),
        "checked_once": _("An answer that has to be checked is asked for once."),
        "checked_whole": _("The answer has to be checked as a whole first."),
        "cut_by_limit": _("It was cut off by the limit of tokens."),
        "no_adapter": _("It has no adapter “{name}”, but: {known}."),
        "most_words": _("At most {count} words can have a bias."),
        "no_tokenizer": _("Its tokenizer is not known."),
        "no_tokens": _("It did not tell the tokens of a word."),
    }
)
declare(  # vectors and scores
    {
        "no_vectors": _("It answered with something that is no list of vectors."),
        "vectors_amiss": _("It returned {count} vectors for {expected} texts."),
        "vectors_differ": _("Its vectors differ in their dimensions."),
        "vectors_unreal": _("Its vectors are not numbers."),
        "dimensions_differ": _("Its vectors have {found} dimensions; one number was expected."),
        "no_reranking": _("It answered with something that is no reranking."),
        "no_moderation": _("It answered with something that is no moderation."),
    }
)
