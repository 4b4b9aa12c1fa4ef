"""Every error of the JSON API as RFC 9457 `application/problem+json`.

`type` is stable and made for programs; `detail` says what to do and is made for people. The body
never depends on whether an object exists: another's object and a random id read the same.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any

import orjson
from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.http import Http404, HttpRequest, HttpResponse, RawPostDataException
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from ninja.errors import AuthenticationError, HttpError, ValidationError

from accounts.budgets.errors import BudgetRefused
from accounts.errors import (
    CsrfRefused,
    LastAdministrator,
    MissingScope,
    PictureRefused,
    SharingRefused,
    TeamRefused,
    WrongPassword,
)
from agents.approvals.errors import ApprovalRefused, NotForSoLong
from agents.errors import AgentRefused, DraftChanged, TooManyPrompts
from agents.mcp_client.errors import DefinitionMoved, ServerRefused
from agents.mcp_client.types import ServerTrouble
from agents.memory.errors import MemoryRefused
from chat.errors import AlreadyContinued, ChatError, KeyReused, TooLateToSay
from gateway.errors import BudgetExhausted
from knowledge.curation.errors import EditConflict, EditRefused
from knowledge.embeddings.versions import VersionRefused
from knowledge.enrichment.services import EnrichmentRefused
from knowledge.errors import FileTooLarge, QuotaReached, StorageFull, UploadRefused
from knowledge.file_types import UnsupportedFile
from knowledge.glossary.errors import GlossaryRefused
from knowledge.quality.errors import ChangeHeld, QuestionRefused
from knowledge.sources.services import SourceBusy, SourceRefused
from observability.outages import OUTAGES, is_disk_full, is_outage
from security.paging import InvalidCursor
from security.rate_limits import LimitReached

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:parley:problem:"

log = logging.getLogger("parley.api")


class UnsupportedMediaType(Exception):
    """The body has another type than the operation reads; the text names the right one."""


@dataclass(frozen=True, slots=True)
class Problem:
    status: int
    name: str
    title: str
    detail: str
    errors: list[dict[str, str]] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_response(self) -> HttpResponse:
        body: dict[str, Any] = {
            "type": TYPE_PREFIX + self.name,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors is not None:
            body["errors"] = self.errors
        return HttpResponse(
            orjson.dumps(body),
            status=self.status,
            content_type=CONTENT_TYPE,
            headers=dict(self.headers),
        )


COME_BACK = {"Retry-After": "5"}
CHALLENGE = {"WWW-Authenticate": "Bearer"}
STATUSES = {
    400: (
        "bad-request",
        _("The request could not be read"),
        _("Send a body that is well formed: valid JSON in UTF-8, or complete multipart data."),
    ),
    401: (
        "not-authenticated",
        _("Sign in first"),
        _(
            "Send `Authorization: Bearer <token>` with a token that is valid, not expired and not "
            "revoked, or use a signed-in session. Make a token in Settings."
        ),
    ),
    403: (
        "not-allowed",
        _("Not allowed"),
        _("You may not do this. Ask the owner or an administrator for the right to."),
    ),
    404: (
        "not-found",
        _("Not found"),
        _("There is nothing at this address that you may see. Check the id and your rights."),
    ),
    405: (
        "method-not-allowed",
        _("Method not allowed"),
        _("This address does not take this method; the Allow header lists those it takes."),
    ),
    413: ("too-large", _("The body is too large"), _("Send less at once.")),
    429: (
        "too-many-requests",
        _("Too many requests"),
        _("Wait as long as the Retry-After header says, then send the request again."),
    ),
    500: (
        "internal-error",
        _("Something went wrong here"),
        _(
            "The error is logged under this response's X-Request-ID. Try again; if it stays, give "
            "that id to an administrator."
        ),
    ),
    507: (
        "storage-full",
        _("No room on this server"),
        _("The server's disk is full. Try again later, or tell the administrator."),
    ),
    503: ("unavailable", _("Not available at the moment"), _("Try again in a few seconds.")),
}
OTHER = (
    "request-refused",
    _("The request was refused"),
    _("Compare the request with the documentation at /api/v1/docs."),
)
# Errors of the apps whose own text says what to do.
DOMAIN: dict[type[Exception], tuple[int, str, Promise]] = {
    UnsupportedMediaType: (415, "unsupported-media-type", _("Wrong type of body")),
    CsrfRefused: (403, "csrf", _("CSRF token missing or wrong")),
    FileTooLarge: (413, "too-large", _("The file is too large")),
    UnsupportedFile: (415, "unsupported-file", _("This kind of file is not read")),
    StorageFull: (507, "storage-full", _("No room on this server")),
    BudgetRefused: (422, "budget-refused", _("There cannot be such a budget")),
    QuotaReached: (413, "quota-reached", _("A budget of storage is used up")),
    UploadRefused: (422, "upload-refused", _("The file was not taken")),
    PictureRefused: (422, "picture-refused", _("The picture was not taken")),
    WrongPassword: (403, "wrong-password", _("Wrong password")),
    LastAdministrator: (409, "last-administrator", _("The last administrator stays")),
    MemoryRefused: (422, "memory-refused", _("This cannot be remembered")),
    TeamRefused: (422, "team-refused", _("The team cannot be changed so")),
    SharingRefused: (422, "sharing-refused", _("This cannot be shared so")),
    TooManyPrompts: (422, "too-many-prompts", _("Too many saved prompts")),
    AgentRefused: (422, "agent-refused", _("There cannot be such an agent")),
    DraftChanged: (409, "draft-changed", _("The draft was changed meanwhile")),
    ApprovalRefused: (409, "approval-refused", _("This cannot be decided so")),
    NotForSoLong: (422, "not-for-so-long", _("Not for so long")),
    ServerRefused: (422, "server-refused", _("There cannot be such a server")),
    ServerTrouble: (409, "server-trouble", _("The server cannot be used")),
    DefinitionMoved: (409, "definition-changed", _("The tool was changed meanwhile")),
    SourceBusy: (409, "source-busy", _("Another sync is under way")),
    SourceRefused: (422, "source-refused", _("This cannot be done with the source")),
    GlossaryRefused: (422, "glossary-refused", _("The glossary cannot be changed so")),
    EditRefused: (422, "edit-refused", _("The passage cannot be edited so")),
    EditConflict: (409, "edit-conflict", _("The passage was changed meanwhile")),
    QuestionRefused: (422, "question-refused", _("There cannot be such a golden question")),
    ChangeHeld: (409, "change-held", _("Golden questions hold this change back")),
    VersionRefused: (409, "version-refused", _("Not with this embedding version")),
    EnrichmentRefused: (422, "enrichment-refused", _("The collection cannot be enriched so")),
    InvalidCursor: (422, "invalid-cursor", _("Unknown cursor")),
}


def from_status(status: int, headers: Mapping[str, str] | None = None) -> Problem:
    """The problem of an answer that some lower part gave by its status alone."""
    name, title, detail = STATUSES.get(status, OTHER)
    return Problem(status, name, str(title), str(detail), headers=headers or {})


def from_validation(errors: list[dict[str, Any]]) -> Problem:
    """Field errors with the place of each: `pointer` in a body (RFC 6901), else `parameter`."""
    return Problem(
        422,
        "invalid-input",
        gettext("Some of the input is not valid"),
        gettext("Correct the fields listed in `errors` and send the request again."),
        errors=[_field_error(error) for error in errors],
    )


def _field_error(error: dict[str, Any]) -> dict[str, str]:
    source, *path = error["loc"]
    detail = str(error["msg"]).removeprefix("Value error, ")
    if source == "body":
        # ninja puts the name of the operation's argument before the path inside the body.
        pointer = "".join(f"/{_escape(str(part))}" for part in path[1:])
        return {"pointer": f"#{pointer}", "detail": detail}
    return {"parameter": ".".join(str(part) for part in path), "in": source, "detail": detail}


def _escape(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")


@singledispatch
def describe(error: Exception) -> Problem:
    """The problem that tells a client about `error`; what is not known here is told as 500."""
    found = next((DOMAIN[cls] for cls in type(error).__mro__ if cls in DOMAIN), None)
    if found is None:
        return from_status(500)
    status, name, title = found
    # Some errors carry their English source text, others are translated already.
    return Problem(status, name, str(title), gettext(str(error)))


describe.register(ValidationError, lambda error: from_validation(error.errors))
describe.register(AuthenticationError, lambda _error: from_status(401, CHALLENGE))
describe.register(PermissionDenied, lambda _error: from_status(403))
describe.register(Http404, lambda _error: from_status(404))
describe.register(RequestDataTooBig, lambda _error: from_status(413))
describe.register(SuspiciousOperation, lambda _error: from_status(400))
describe.register(BadRequest, lambda _error: from_status(400))
describe.register(MultiPartParserError, lambda _error: from_status(400))
describe.register(UnreadablePostError, lambda _error: from_status(400))
for _outage in OUTAGES:
    describe.register(_outage, lambda _error: from_status(503, COME_BACK))


@describe.register
def _describe_os_error(error: OSError) -> Problem:
    return from_status(507 if is_disk_full(error) else 500)


@describe.register
def _describe_http_error(error: HttpError) -> Problem:
    # ninja hides what its parser raised behind a 400.
    if isinstance(error.__cause__, UnsupportedMediaType):
        return describe(error.__cause__)
    return from_status(error.status_code)


@describe.register(RawPostDataException)
def _describe_read_body(_error: RawPostDataException) -> Problem:
    """The CSRF check has read a form where JSON belongs."""
    return describe(UnsupportedMediaType(gettext("Send the body as application/json.")))


@describe.register
def _describe_chat_error(error: ChatError) -> Problem:
    is_conflict = isinstance(error, KeyReused | TooLateToSay | AlreadyContinued)
    status = 409 if is_conflict else 422
    return Problem(status, error.name, str(error.title), str(error))


@describe.register
def _describe_limit(error: LimitReached) -> Problem:
    headers = {"Retry-After": str(error.seconds)}
    return Problem(429, error.name, error.title, str(error), headers=headers)


@describe.register
def _describe_budget(error: BudgetExhausted) -> Problem:
    headers = {"Retry-After": str(seconds)} if (seconds := error.retry_after) else {}
    return Problem(429, "budget-exhausted", str(error.title), error.detail, headers=headers)


@describe.register
def _describe_missing_scope(error: MissingScope) -> Problem:
    challenge = f'Bearer error="insufficient_scope", scope="{" ".join(error.needed)}"'
    title = gettext("The token may not do this")
    return Problem(403, "missing-scope", title, str(error), headers={"WWW-Authenticate": challenge})


def answer(request: HttpRequest, error: Exception) -> HttpResponse:
    """ninja's handler for every exception of an operation."""
    problem = describe(error)
    if is_outage(error) or problem.status == 507:
        log.warning("%s %s: a server is away or full: %s", request.method, request.path, error)
    elif problem.status >= 500:
        log.error("%s %s failed", request.method, request.path, exc_info=error)
    return problem.to_response()
