from django.db import models
from django.utils.translation import gettext_lazy as _

from events.task_names import title_of
from security.ids import new_id


class Stream(models.Model):
    """A piece of work whose progress is a numbered event log; who holds it, and until when."""

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        WAITING = "waiting", _("waiting for a person")
        CLOSED = "closed", _("closed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16)
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    fence = models.IntegerField(default=0)
    holder = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.IntegerField(default=0)
    last_seq = models.IntegerField(default=0)
    # Somebody woke it while it was held: it does not wait when it is parked.
    is_woken = models.BooleanField(_("woken"), default=False, db_default=False)
    compacted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("stream")
        verbose_name_plural = _("streams")
        indexes = [
            models.Index(
                fields=["kind", "created_at"],
                condition=~models.Q(state="closed"),
                name="stream_open",
            ),
            models.Index(
                fields=["created_at"],
                condition=models.Q(state="closed", compacted_at=None),
                name="stream_uncompacted",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class Event(models.Model):
    """One numbered fact of a stream; `seq` rises, and jumps only where a new holder took over."""

    pk = models.CompositePrimaryKey("stream_id", "seq")
    stream = models.ForeignKey(Stream, on_delete=models.CASCADE, related_name="events")
    seq = models.IntegerField()
    kind = models.CharField(max_length=32)
    payload = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "event"

    def __str__(self) -> str:
        return f"{self.kind} {self.seq}"


class Job(models.Model):
    """Background work as a row; rq only carries its id."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        SUCCEEDED = "succeeded", _("succeeded")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    stream = models.OneToOneField(
        Stream, primary_key=True, db_column="id", on_delete=models.CASCADE, related_name="job"
    )
    task = models.CharField(
        _("task"), max_length=200, help_text=_("Dotted path of the function it runs.")
    )
    arguments = models.JSONField(default=dict)
    queue = models.CharField(max_length=32, default="default")
    owner_id = models.UUIDField(null=True, blank=True, db_index=True)
    subject_id = models.UUIDField(null=True, blank=True, db_index=True)
    status = models.CharField(
        _("status"), max_length=10, choices=Status.choices, default=Status.QUEUED
    )
    stage = models.CharField(_("stage"), max_length=32, blank=True)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    reason = models.TextField(_("reason"), blank=True)
    cancel_requested = models.BooleanField(default=False)
    max_attempts = models.IntegerField(default=3)
    ring_after = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        indexes = [
            models.Index(
                fields=["ring_after"],
                condition=models.Q(status__in=["queued", "running"]),
                name="job_open",
            ),
            models.Index(  # what people have ordered and is on nothing in particular
                fields=["owner_id"],
                condition=models.Q(status__in=["queued", "running"], subject_id=None),
                name="job_own_open",
            ),
        ]

    def __str__(self) -> str:
        return title_of(self.task)
