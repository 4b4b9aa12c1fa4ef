from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from events.task_names import name_tasks


class KnowledgeConfig(AppConfig):
    name = "knowledge"
    verbose_name = _("Knowledge")

    def ready(self) -> None:
        from accounts.budgets.storage import know_storage  # noqa: PLC0415 - models are loaded now
        from knowledge.models import Source  # noqa: PLC0415
        from knowledge.quota import count_bytes  # noqa: PLC0415
        from knowledge.sources.kinds import sealed_for  # noqa: PLC0415
        from security.resealing import keeps_secrets  # noqa: PLC0415

        know_storage(count_bytes)
        keeps_secrets(Source, sealed_for)
        name_tasks(
            {
                "knowledge.jobs.ingest_document": _("Indexing a document"),
                "knowledge.jobs.reweigh_collection": _("Weighing the words of a collection anew"),
                "knowledge.jobs.go_on_with_collection": _("Going on with a collection"),
                "knowledge.jobs.refresh_collection": _("Indexing a collection again"),
                "knowledge.jobs.switch_embedder": _("Embedding everything with another model"),
                "knowledge.embeddings.jobs.fill_version": _("Filling an embedding version"),
                "knowledge.embeddings.jobs.drop_version": _("Dropping an embedding version"),
                "knowledge.embeddings.jobs.measure_storages": _("Measuring storages of vectors"),
                "knowledge.matching.jobs.change_matching": _("Changing all documents that match"),
                "knowledge.matching.jobs.undo_matching": _("Undoing a change of many documents"),
                "knowledge.quality.jobs.ask_questions": _("Asking golden questions"),
                "knowledge.quality.jobs.tune_search": _("Tuning a search"),
                "knowledge.quality.jobs.propose_questions": _("Proposing golden questions"),
                "knowledge.quality.jobs.weigh_anew": _("Weighing the words of a collection anew"),
                "knowledge.sources.jobs.run_sync": _("Syncing a source"),
                "knowledge.sources.jobs.remove_source": _("Removing a source"),
            }
        )
