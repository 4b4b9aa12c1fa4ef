"""Where documents come from, what each visit there brought, and what is known of every item."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from knowledge.models.collections import Collection
from security.ids import new_id


class SourceQuerySet(models.QuerySet[Any]):
    """Sources are for those who look after a collection: addresses and folders are their affair."""

    def editable_by(self, user: User | AnonymousUser) -> Self:
        found = Collection.objects.editable_by(user)
        return self.filter(collection__in=found, is_leaving=False).exclude(kind=Source.Kind.UPLOAD)


class Source(models.Model):
    """Where documents of a collection come from. What a person adds has the kind `upload`.

    A document belongs to the source in its column: only that one ever removes it.
    """

    class Kind(models.TextChoices):
        UPLOAD = "upload", _("upload")
        FOLDER = "folder", _("folder on the server")
        GIT = "git", _("Git repository")
        WEB = "web", _("website")
        FEED = "feed", _("feed")
        S3 = "s3", _("S3 bucket")
        API = "api", _("other program")

    class Schedule(models.TextChoices):
        MANUAL = "manual", _("only when asked")
        HOURLY = "hourly", _("every hour")
        DAILY = "daily", _("every day")
        WEEKLY = "weekly", _("every week")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="sources")
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices, default=Kind.UPLOAD)
    name = models.CharField(_("name"), max_length=120)
    settings = models.JSONField(_("settings"), default=dict, db_default={}, blank=True)
    secret = models.BinaryField(null=True, editable=False)
    secret_hint = models.CharField(max_length=16, blank=True, db_default="", editable=False)
    schedule = models.CharField(
        _("schedule"), max_length=8, choices=Schedule.choices, default=Schedule.MANUAL,
        db_default=Schedule.MANUAL,
    )  # fmt: skip
    # Days between an item's disappearance and the removal of its document.
    grace_days = models.SmallIntegerField(_("days of grace"), default=7, db_default=7)
    is_paused = models.BooleanField(_("paused"), default=False, db_default=False)
    # It is being deleted, and its documents before it.
    is_leaving = models.BooleanField(default=False, db_default=False, editable=False)
    # What the connector last saw as a whole, in its own words: a commit.
    cursor = models.JSONField(default=dict, db_default={}, editable=False, blank=True)
    next_run_at = models.DateTimeField(_("next run"), null=True, blank=True)
    added_by = models.ForeignKey(
        User, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Any] = SourceQuerySet.as_manager()

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        indexes = [
            models.Index(
                fields=["next_run_at"],
                condition=models.Q(next_run_at__isnull=False),
                name="source_due",
            )
        ]

    def __str__(self) -> str:
        return self.name


class SyncRun(models.Model):
    """One visit to a source, or a preview of one, with what it brought."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        SUCCEEDED = "succeeded", pgettext_lazy("a sync", "finished")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    OPEN = (Status.QUEUED, Status.RUNNING, Status.PAUSED)
    ENDED = (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="runs")
    is_preview = models.BooleanField(default=False)
    is_scheduled = models.BooleanField(default=False)
    status = models.CharField(
        _("status"), max_length=9, choices=Status.choices, default=Status.QUEUED
    )
    job_id = models.UUIDField(null=True, blank=True)
    started_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    added = models.IntegerField(_("added"), default=0)
    changed = models.IntegerField(_("changed"), default=0)
    unchanged = models.IntegerField(_("unchanged"), default=0)
    removed = models.IntegerField(_("removed"), default=0)
    failed = models.IntegerField(_("failed"), default=0)
    total = models.IntegerField(null=True, blank=True)  # when the source can tell
    reason = models.TextField(_("reason"), blank=True)
    # The first items that failed; of a preview, the first that would come.
    sample = models.JSONField(default=list)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("sync")
        verbose_name_plural = _("syncs")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["source"],
                condition=models.Q(status__in=["queued", "running", "paused"]),
                name="one_sync_at_a_time",
            )
        ]
        indexes = [models.Index(fields=["source", "-id"], name="syncs_of_a_source")]

    def __str__(self) -> str:
        return f"{self.source_id} {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def seen(self) -> int:
        return self.added + self.changed + self.unchanged + self.failed

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN

    @property
    def seconds_left(self) -> int | None:
        """A guess, by the pace so far; None where the source cannot tell how much it has."""
        if self.status != self.Status.RUNNING or not (self.total and self.seen and self.started_at):
            return None
        so_far = (timezone.now() - self.started_at).total_seconds()
        return round(so_far * max(0, self.total - self.seen) / self.seen)

    @property
    def minutes_left(self) -> int | None:
        """Whole minutes, at least 1; 0 for less than 45 seconds."""
        seconds = self.seconds_left
        return None if seconds is None else 0 if seconds < 45 else max(1, round(seconds / 60))


class SourceItem(models.Model):
    """One thing of a source, by its name there, and the document that holds it here."""

    class State(models.TextChoices):
        PRESENT = "present", _("there")
        FAILED = "failed", _("failed")
        MISSING = "missing", _("gone")  # its document stays until the grace is over
        LEFT_OUT = "left_out", _("left out")  # a person deleted its document here

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="items")
    # The first half of the name's SHA-256: names can be longer than an index takes.
    key = models.UUIDField()
    external_id = models.TextField(_("name at the source"))
    title = models.CharField(_("title"), max_length=300, blank=True)
    address = models.TextField(_("address"), blank=True)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.PRESENT)
    reason = models.TextField(_("reason"), blank=True)
    may_try_again = models.BooleanField(default=False)  # of one that failed: not for its content
    sha256 = models.CharField(max_length=64, blank=True)
    # The source's own word for these bytes (size and time, a blob): the same word, the same bytes.
    mark = models.CharField(max_length=200, blank=True)
    etag = models.CharField(max_length=300, blank=True)
    last_modified = models.CharField(max_length=64, blank=True)
    commit = models.CharField(max_length=64, blank=True)
    links = models.JSONField(default=list, blank=True)  # of a page: where it leads
    missing_since = models.DateTimeField(_("gone since"), null=True, blank=True)
    document = models.ForeignKey(
        "knowledge.Document", null=True, blank=True, on_delete=models.SET_NULL, related_name="items"
    )
    seen_in = models.UUIDField(null=True, blank=True)  # the run that saw it last
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("item of a source")
        verbose_name_plural = _("items of sources")
        constraints = [models.UniqueConstraint(fields=["source", "key"], name="one_item_a_name")]
        indexes = [
            models.Index(fields=["source", "state", "id"], name="items_by_state"),
            models.Index(
                fields=["missing_since"],
                condition=models.Q(missing_since__isnull=False),
                name="items_missing",
            ),
        ]

    def __str__(self) -> str:
        return self.external_id

    @property
    def place(self) -> str:
        """Where people can open it; empty where they cannot."""
        return self.address if self.address.startswith(("https://", "http://")) else ""

    @property
    def leaves_at(self) -> datetime | None:
        """When its document goes, if it is gone and stays so."""
        days = timedelta(days=self.source.grace_days)
        return self.missing_since + days if self.missing_since else None
