from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ParleyConfig(AppConfig):
    """The composition root: no tables, only the commands that need every room at once."""

    name = "config"


class ParleyAdminConfig(AdminConfig):
    """Django's own admin on Parley's tokens, with a dashboard as its first page."""

    default_site = "config.admin_site.ParleyAdminSite"
