"""Tasks are enqueued by dotted path: every path must lead somewhere."""

from django.conf import settings
from django.utils.module_loading import import_string

from knowledge import jobs, services


def test_every_task_path_resolves() -> None:
    assert import_string(services.INGEST) is jobs.ingest_document
    assert import_string(jobs.SWITCH) is jobs.switch_embedder
    assert import_string(jobs.REWEIGH) is jobs.reweigh_collection


def test_the_clock_knows_this_apps_sweepers() -> None:
    paths = [path for path in settings.CLOCK if path.startswith("knowledge.")]
    assert len(paths) >= 9
    assert all(callable(import_string(path)) for path in paths)
