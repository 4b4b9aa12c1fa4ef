from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GatewayConfig(AppConfig):
    name = "gateway"
    verbose_name = _("Models and endpoints")

    def ready(self) -> None:
        """Tell how endpoints do at every scrape."""
        from gateway.metrics import EndpointStates  # noqa: PLC0415 - models are loaded now
        from observability.metrics import add_live  # noqa: PLC0415

        add_live(EndpointStates())
