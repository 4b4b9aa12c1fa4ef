from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from events.task_names import name_tasks


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("People and access")

    def ready(self) -> None:
        from accounts import trail  # noqa: PLC0415 - it imports models, which are ready only now
        from accounts.budgets import subjects, wording  # noqa: F401, PLC0415 - have their words
        from accounts.budgets.models import Budget  # noqa: PLC0415
        from accounts.budgets.services import sealed_for  # noqa: PLC0415
        from security.resealing import keeps_secrets  # noqa: PLC0415

        trail.follow()
        keeps_secrets(Budget, sealed_for)
        name_tasks(
            {
                "accounts.takeouts.pack": _("Packing a person's data"),
                "accounts.budgets.alerts.tell": _("Telling that a budget is used up"),
            }
        )
