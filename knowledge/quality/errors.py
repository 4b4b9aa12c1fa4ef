"""What is refused here; each text tells a person why."""


class QuestionRefused(Exception):
    """A golden question or an approved answer cannot be so."""


class ChangeHeld(Exception):
    """A change loses on golden questions beyond noise: a person has to say that it is wanted."""
