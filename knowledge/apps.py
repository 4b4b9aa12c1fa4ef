from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from events.task_names import name_tasks


class KnowledgeConfig(AppConfig):
    name = "knowledge"
    verbose_name = _("Knowledge")

    def ready(self) -> None:
        from accounts.budgets.storage import know_storage  # noqa: PLC0415 - models are loaded now
        from knowledge.quota import count_bytes  # noqa: PLC0415

        know_storage(count_bytes)
        name_tasks(
            {
                "knowledge.jobs.ingest_document": _("Indexing a document"),
                "knowledge.jobs.reweigh_collection": _("Weighing the words of a collection anew"),
                "knowledge.jobs.switch_embedder": _("Embedding everything with another model"),
            }
        )
