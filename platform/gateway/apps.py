from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class GatewayConfig(AppConfig):
    name = "gateway"
    verbose_name = _("Models and endpoints")

    def ready(self) -> None:
        """Sentences have their words in every process; endpoints are told of at every scrape."""
        from gateway import spoken  # noqa: F401, PLC0415 - models are loaded now
        from gateway.metrics import EndpointStates  # noqa: PLC0415
        from gateway.models import Endpoint  # noqa: PLC0415
        from gateway.routing.routes import secret_context  # noqa: PLC0415
        from observability.metrics import add_live  # noqa: PLC0415
        from security.resealing import keeps_secrets  # noqa: PLC0415

        add_live(EndpointStates())
        keeps_secrets(Endpoint, lambda endpoint: secret_context(endpoint.pk))
        post_migrate.connect(make_partitions, sender=self)


def make_partitions(**_details: Any) -> None:
    """After a migration the months ahead have their partitions."""
    from gateway.metering.partitions import USAGE  # noqa: PLC0415 - models are loaded now

    if USAGE.is_there():
        USAGE.ensure_ahead()
