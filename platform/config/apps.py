from django.apps import AppConfig, apps
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate

from config import second_lock
from config.field_names import name_fields


class ParleyConfig(AppConfig):
    """The composition root: no tables, only the commands that need every room at once."""

    name = "config"

    def ready(self) -> None:
        # Once is enough, and an app without models is never a sender: the topmost one is.
        post_migrate.connect(second_lock.fit, sender=apps.get_app_config("chat"))
        name_fields(apps.get_models())


class ParleyAdminConfig(AdminConfig):
    """Django's own admin on Parley's tokens, with a dashboard as its first page."""

    default_site = "config.admin_site.ParleyAdminSite"
