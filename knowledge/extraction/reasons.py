"""Why a file could not be read, in words for the person who sent it."""

# The null backend marks a text without settings: the reading process has none.
from django.utils.translation.trans_null import gettext_noop as _

DAMAGED = _("This file is damaged and cannot be read.")
ENCRYPTED = _("This file is protected with a password. Remove the password and try again.")
NEEDS_OCR = _("This PDF has no text layer; it needs OCR.")
NO_TEXT = _("There is no text in this file.")
TOO_MUCH_TEXT = _("This file holds too much text. Split it into several files.")
TOO_MANY_PAGES = _("This file has too many pages. Split it into several files.")
BOMB = _("This file unpacks to far more than it should and was refused.")
DTD = _("This file declares its own XML types, which is not accepted.")
TOO_SLOW = _("Reading this file took too long and was stopped.")
TOO_LARGE_IN_MEMORY = _("Reading this file needs more memory than is allowed.")
TOO_MANY_PIXELS = _("This image has too many pixels. Make it smaller and try again.")
TOO_DEEP = _("This page's elements are nested too deeply to be read as HTML.")
NESTED = _("This file is nested too deeply to be read.")
NO_MAIL = _("There is no message in this file.")
CRASHED = _("The reader stopped unexpectedly on this file.")
MISSING = _("The stored file is missing. Delete the document and upload it again.")


class ExtractionFailed(Exception):
    """The file cannot be read; the text is one of the reasons above."""
