"""What the codes of a why are called. Those unknown here are shown as they are."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

WAYS = {
    "original": _("as asked"),
    "standalone": _("follow-up made standalone"),
    "rewrite": _("said in other words"),
    "hypothetical": _("an answer as it could be"),
    "part": _("a part of the question"),
    "step_back": _("the question behind it"),
    "translation": _("translated"),
    "glossary": _("in the words of a glossary"),
}
STAGES = {
    "waited": _("Waiting and saving"),
    "understood": _("Understanding the question"),
    "read": _("Reading attachments"),
    "searched": _("Searching"),
    "embed": _("question as a vector"),
    "sql": _("both legs in the index"),
    "reranked": _("Reranking"),
    "called": _("Calling tools"),
    "first_word": _("Until the first word"),
    "thought": _("thinking"),
    "wrote": pgettext_lazy("a stage of an answer", "Writing"),
}
FATES = {
    "cited": pgettext_lazy("a passage", "cited"),
    "given": pgettext_lazy("a passage", "given, not cited"),
    "threshold": _("too little alike"),
    "duplicate": _("says the same as a better one"),
    "budget": _("no room left"),
    "diversity": _("others tell more that is new"),
    "limit": _("enough were better"),
    "rule": _("kept back by a rule"),
    "left": _("left out"),
}
BLOCKS = {
    "rules": _("House rules"),
    "instructions": _("The agent's instructions"),
    "history": _("Earlier in the conversation"),
    "memory": _("Remembered about the person"),
    "passage": pgettext_lazy("a block of a prompt", "Passage"),
    "images": _("Images"),
    "question": pgettext_lazy("a block of a prompt", "The question"),
}
