"""What each kind of source can be told, and what of that is refused."""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from knowledge.models import Source
from knowledge.sources.patterns import LONGEST, MOST
from security.outbound.errors import AddressRefused
from security.outbound.targets import parse_target


def _web_address(text: str) -> str:
    """As it is asked for, without a fragment; credentials have their own field."""
    try:
        return str(parse_target(text))
    except AddressRefused as error:
        raise ValueError(str(error)) from error


def _repository(text: str) -> str:
    """An address, or a path on the server: judged against the roots when it is opened."""
    return text if text.startswith("/") else _web_address(text)


Pattern = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST)]
Patterns = Annotated[list[Pattern], Field(max_length=MOST)]
Address = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=2000), AfterValidator(_web_address)
]
Path = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^/[^\x00]*$")]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FolderSettings(_Settings):
    path: Path
    include: Patterns = []
    exclude: Patterns = []


class GitSettings(_Settings):
    address: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=2000),
        AfterValidator(_repository),
    ]
    branch: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    username: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    include: Patterns = []
    exclude: Patterns = []


class WebSettings(_Settings):
    address: Address
    reach: Literal["page", "site", "sitemap"] = "site"
    depth: int = Field(3, ge=0, le=20)
    most_pages: int = Field(500, ge=1, le=10_000)
    pause_seconds: float = Field(1.0, ge=0.1, le=60)
    include: Patterns = []
    exclude: Patterns = []


class FeedSettings(_Settings):
    address: Address
    has_full_pages: bool = True
    pause_seconds: float = Field(1.0, ge=0.1, le=60)


class S3Settings(_Settings):
    """`address` is the server's, without the bucket; the secret key is the source's secret."""

    address: Address
    bucket: Annotated[
        str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$")
    ]
    prefix: Annotated[str, StringConstraints(max_length=1000)] = ""
    region: Annotated[
        str, StringConstraints(strip_whitespace=True, pattern=r"^[a-z0-9-]{1,40}$")
    ] = "us-east-1"
    access_key: Annotated[
        str, StringConstraints(strip_whitespace=True, pattern=r"^[\w.+=@-]{0,128}$")
    ] = ""
    include: Patterns = []
    exclude: Patterns = []


class ApiSettings(_Settings):
    pass


SETTINGS: dict[str, type[_Settings]] = {
    Source.Kind.FOLDER: FolderSettings,
    Source.Kind.GIT: GitSettings,
    Source.Kind.WEB: WebSettings,
    Source.Kind.FEED: FeedSettings,
    Source.Kind.S3: S3Settings,
    Source.Kind.API: ApiSettings,
}


def read_settings(kind: str, values: dict[str, Any]) -> _Settings:
    """Raises pydantic's ValidationError."""
    return SETTINGS[kind].model_validate(values)


def place_of(kind: str, values: dict[str, Any]) -> str:
    """In a few words, for people: where it is."""
    if kind == Source.Kind.API:
        return _("Items are pushed through the API.")
    parts = (values.get("path") or values.get("address"), values.get("bucket"))
    return "/".join(str(part).rstrip("/") for part in parts if part)


def origin_of(values: dict[str, Any]) -> tuple[str, str]:
    """Where credentials would be sent."""
    parts = urlsplit(str(values.get("address", "")))
    return parts.scheme, parts.netloc


def is_on_server(kind: str, values: dict[str, Any]) -> bool:
    """Whether it reads this machine's own disk, which only administrators set up."""
    address = str(values.get("address", ""))
    return kind == Source.Kind.FOLDER or (kind == Source.Kind.GIT and address.startswith("/"))
