from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from events.task_names import name_tasks


class AgentsConfig(AppConfig):
    name = "agents"
    verbose_name = _("Agents")

    def ready(self) -> None:
        import_module("agents.wiring").wire()  # which imports models: they are loaded now
        name_tasks({"agents.building.jobs.compare_versions": _("Comparing a draft of an agent")})
