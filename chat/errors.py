"""What can be wrong with a question, or with what is done to a conversation.

ChatError
├── EmptyQuestion
├── QuestionTooLong
├── KeyReused           the idempotency key belongs to another question
├── NotAnAnswerable     a message that cannot be asked again or continued
├── TooLateToSay        the answer that a note was for has ended
├── AlreadyContinued    an answer is gone on with once
├── UnknownModel        no model of this name is connected
├── StillRunning        an answer that is being written cannot be copied
├── TooManyAttachments  more than one question may carry
├── FolderNameTaken     a person's folders have different names
├── NothingToShare      a conversation without an answer
├── LinksAreOff         the administrator does not allow links, or none for anyone
├── IsTemporary         what leaves nothing behind is shared with nobody
└── ImportRefused       an upload that is not an export, or that is imported already
"""

from django.utils.translation import gettext as _


class ChatError(Exception):
    """The text tells a person what to do; `name` is stable and made for programs."""

    name = "refused"
    title = "The question was refused"


class EmptyQuestion(ChatError):
    name = "empty-question"

    def __init__(self) -> None:
        self.title = _("The question is empty")
        super().__init__(_("Write a question first."))


class QuestionTooLong(ChatError):
    name = "question-too-long"

    def __init__(self, limit: int) -> None:
        self.title = _("The question is too long")
        super().__init__(
            _("A question may have %(limit)s characters. Upload long texts as documents.")
            % {"limit": limit}
        )


class KeyReused(ChatError):
    name = "idempotency-key-reused"

    def __init__(self) -> None:
        self.title = _("This key was used before")
        super().__init__(_("The idempotency key belongs to another question. Send a new key."))


class NotAnAnswerable(ChatError):
    name = "not-answerable"

    def __init__(self) -> None:
        self.title = _("This message cannot be answered")
        super().__init__(_("Only a question can be asked again, and only an answer continued."))


class TooLateToSay(ChatError):
    name = "too-late-to-say"

    def __init__(self) -> None:
        self.title = _("The answer has ended")
        super().__init__(_("Nobody reads this note any more. Ask it as a question."))


class AlreadyContinued(ChatError):
    name = "already-continued"

    def __init__(self) -> None:
        self.title = _("This answer was continued before")
        super().__init__(_("An answer is continued once. Continue from its newest version."))


class FolderNameTaken(ChatError):
    name = "folder-name-taken"

    def __init__(self, folder: str) -> None:
        self.title = _("There is a folder of this name")
        super().__init__(_("You have a folder “%(name)s” already.") % {"name": folder})


class UnknownModel(ChatError):
    name = "unknown-model"

    def __init__(self, model: str) -> None:
        self.title = _("This model is not connected")
        super().__init__(
            _("No model “%(name)s” is connected. Choose another one, or none.")
            % {"name": model[:120]}
        )


class NothingToShare(ChatError):
    name = "nothing-to-share"

    def __init__(self) -> None:
        self.title = _("There is nothing to share yet")
        super().__init__(_("Wait for the first answer, then share the conversation."))


class LinksAreOff(ChatError):
    name = "links-are-off"

    def __init__(self) -> None:
        self.title = _("This link is not allowed here")
        super().__init__(_("The administrator does not allow links, or not for everyone."))


class IsTemporary(ChatError):
    name = "temporary"

    def __init__(self) -> None:
        self.title = _("This conversation is temporary")
        super().__init__(_("Keep the conversation first; then it can be shared."))


class ImportRefused(ChatError):
    name = "import-refused"

    def __init__(self, reason: str) -> None:
        self.title = _("This cannot be imported")
        super().__init__(reason)


class StillRunning(ChatError):
    name = "still-running"

    def __init__(self) -> None:
        self.title = _("The answer is still being written")
        super().__init__(_("Wait until it has ended, or stop it, then try again."))


class TooManyAttachments(ChatError):
    name = "too-many-attachments"

    def __init__(self, limit: int) -> None:
        self.title = _("Too many attachments")
        super().__init__(
            _("A question may have %(limit)s attachments. Send the others with the next one.")
            % {"limit": limit}
        )
