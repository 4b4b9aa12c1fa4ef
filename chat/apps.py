from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from chat.retention import partitions
from events.task_names import name_tasks


class ChatConfig(AppConfig):
    name = "chat"
    verbose_name = _("Conversations")

    def ready(self) -> None:
        from chat import (  # noqa: PLC0415
            citing,
            spoken,  # noqa: F401 - so that every process has its words
        )
        from knowledge.curation.cited import know_citations  # noqa: PLC0415

        know_citations(citing.count_citations, citing.is_cited)

        post_migrate.connect(make_partitions, sender=self)
        name_tasks(
            {
                "chat.imports.jobs.read_import": _("Reading a file to import"),
                "chat.imports.jobs.bring_import": _("Importing conversations"),
                "chat.warming.jobs.warm_caches": _("Asking frequent questions in advance"),
            }
        )


def make_partitions(**_details: Any) -> None:
    """After a migration the months ahead have their partitions."""
    if partitions.MESSAGES.is_there():
        partitions.ensure_ahead()
