from django.apps import AppConfig


class CachingConfig(AppConfig):
    name = "caching"

    def ready(self) -> None:
        """What caches hold is told of at every scrape."""
        from caching.figures import Sizes  # noqa: PLC0415 - settings are read now
        from observability.metrics import add_live  # noqa: PLC0415

        add_live(Sizes())
