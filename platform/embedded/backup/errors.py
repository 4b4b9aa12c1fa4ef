"""What stops a backup, a restore or an upgrade; each is one line with the next thing to do."""

from embedded.errors import StartupError


class BackupError(StartupError):
    """Something outside is in the way: a disk, a server, a program, a running Parley."""


class BackupRefused(BackupError):
    """The archive is damaged, hostile, or made by a version this one cannot read."""
