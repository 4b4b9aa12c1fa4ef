"""The kinds of source there are, and how one is opened."""

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from knowledge.models import Source
from knowledge.sources.connector import Connector, SourceUnusable
from knowledge.sources.settings import read_settings
from security.secrets import SecretUnreadable, open_

# Imported when one is opened: git and feeds bring libraries that most processes never need.
CONNECTORS = {
    Source.Kind.FOLDER: "knowledge.sources.folder.FolderConnector",
    Source.Kind.GIT: "knowledge.sources.git.GitConnector",
    Source.Kind.WEB: "knowledge.sources.web.WebConnector",
    Source.Kind.FEED: "knowledge.sources.feed.FeedConnector",
    Source.Kind.S3: "knowledge.sources.s3.S3Connector",
}


def open_source(source: Source) -> Connector:
    """Ready to be walked; raises SourceUnusable."""
    values = read_settings(source.kind, source.settings)
    try:
        secret = open_(bytes(source.secret), sealed_for(source)) if source.secret else ""
    except SecretUnreadable as error:
        raise SourceUnusable(
            _("Its credentials cannot be read any more. Enter them again.")
        ) from error
    opened: Connector = import_string(CONNECTORS[Source.Kind(source.kind)])(
        values, secret, str(source.pk)
    )
    return opened


def sealed_for(source: Source) -> str:
    """What a source's secret is bound to."""
    return f"source:{source.pk}"


def has_walk(source: Source) -> bool:
    """Whether there is something to visit; others push."""
    return source.kind in CONNECTORS


def offered(*, to_staff: bool) -> list[Source.Kind]:
    """The kinds that a person can add here: folders of the server are for administrators, where
    there are any."""
    kinds = [
        Source.Kind.WEB, Source.Kind.GIT, Source.Kind.FEED, Source.Kind.S3, Source.Kind.API,
    ]  # fmt: skip
    if to_staff and settings.PARLEY_SOURCE_ROOTS:
        kinds.append(Source.Kind.FOLDER)
    return kinds
