from typing import Any

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from events import jobs
from events.models import Job, Stream
from security.records import RecordAdmin


@admin.register(Stream)
class StreamAdmin(RecordAdmin):
    """Who works on what. The events themselves hold people's text and are not shown."""

    list_display = (
        "id", "kind", "state", "holder", "lease_until", "fence", "attempts", "last_seq",
        "created_at",
    )  # fmt: skip
    list_filter = ("kind", "state", "created_at")
    search_fields = ("=id", "holder")
    search_help_text = _("The id of a turn or job, or a part of the holder's name.")
    date_hierarchy = "created_at"


@admin.register(Job)
class JobAdmin(RecordAdmin):
    list_display = ("stream_id", "task", "status", "stage", "progress", "attempts", "reason",
        "created_at", "finished_at")  # fmt: skip
    list_filter = ("status", "task", "created_at")
    search_fields = ("=stream__id", "=owner_id", "=subject_id", "reason")
    search_help_text = _("The id of a job, its owner or subject, or a part of the reason.")
    date_hierarchy = "created_at"
    exclude = ("arguments",)
    actions = ("cancel",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        found: QuerySet[Job] = super().get_queryset(request)
        return found.annotate(attempts=F("stream__attempts"))

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("events.change_job")

    @admin.display(description=_("progress"))
    def progress(self, job: Job) -> str:
        return f"{job.done} / {job.total}" if job.total else ""

    @admin.display(description=_("attempts"), ordering="attempts")
    def attempts(self, job: Any) -> int:
        count: int = job.attempts
        return count

    @admin.action(description=_("Cancel"), permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        open_jobs = list(queryset.filter(finished_at=None))
        for job in open_jobs:
            jobs.request_cancel(job.pk)
        text = _("%(count)s asked to stop.") % {"count": len(open_jobs)}
        self.message_user(request, text, messages.SUCCESS)
