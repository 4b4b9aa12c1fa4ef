"""The one error of this package: something a person can put right before the next start."""


class StartupError(Exception):
    """One clear line that names what is wrong and what to do; shown without a traceback."""
