from typing import Any

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from events import jobs
from events.models import Job, Stream
from events.task_names import list_titles, title_of
from security.lists import AgeFilter, KnownValues
from security.records import LogAdmin


class KindFilter(KnownValues):
    title = _("kind")
    parameter_name = field = "kind"

    def known(self) -> list[tuple[str, Any]]:
        return [("turn", _("answer")), ("job", _("job")), ("title", _("title"))]


class TaskFilter(KnownValues):
    title = _("task")
    parameter_name = field = "task"

    def known(self) -> list[tuple[str, Any]]:
        return list(list_titles())


@admin.register(Stream)
class StreamAdmin(LogAdmin):
    """Who works on what. The events themselves hold people's text and are not shown."""

    list_display = (
        "id", "kind", "state", "holder", "lease_until", "fence", "attempts", "last_seq",
        "created_at",
    )  # fmt: skip
    list_filter = (KindFilter, "state", AgeFilter)
    exact_fields = ("id",)
    search_help_text = _("The id of a turn or job.")


@admin.register(Job)
class JobAdmin(LogAdmin):
    list_display = ("title", "status", "stage", "progress", "attempts", "why", "created_at",
        "finished_at", "stream_id")  # fmt: skip
    list_filter = ("status", TaskFilter, AgeFilter)
    exact_fields = ("pk", "owner_id", "subject_id")
    search_help_text = _("The id of a job, of a person or of what the job is about.")
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

    @admin.display(description=_("task"))
    def title(self, job: Job) -> str:
        return title_of(job.task)

    @admin.display(description=_("reason"))
    def why(self, job: Job) -> str:
        """A reason is stored as an English source string."""
        return gettext(job.reason) if job.reason else ""

    @admin.display(description=_("attempts"))
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
