"""Git's smart protocol over the guarded client; nothing of git's own ways out is used."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx2
from django.utils.translation import gettext as _
from dulwich.client import AbstractHttpGitClient

from knowledge.sources.connector import SourceUnusable
from knowledge.sources.outside import authorization, source_policy
from security.outbound.errors import OutboundError
from security.outbound.targets import parse_target
from security.outbound.transport import guarded_client

MOST_BYTES = 2 * 1024**3  # of one answer
MOST_SECONDS = 3600
SILENCE_SECONDS = 60
PIECE = 64 * 1024


class Answer:
    """What dulwich wants of a response. `check` is called for every piece that arrives."""

    def __init__(self, response: httpx2.Response, check: Callable[[], None]) -> None:
        self._response = response
        self._pieces: Iterator[bytes] = response.iter_bytes(PIECE)
        self._rest = b""
        self._left = MOST_BYTES
        self._ends = time.monotonic() + MOST_SECONDS
        self._check = check
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.content_type: str | None = response.headers.get("Content-Type")
        self.redirect_location = ""

    def read(self, size: int | None = None) -> bytes:
        wanted = self._left if size is None else size
        while len(self._rest) < wanted and (piece := self._next()):
            self._rest += piece
        found, self._rest = self._rest[:wanted], self._rest[wanted:]
        return found

    def close(self) -> None:
        self._response.close()

    def geturl(self) -> str | None:
        return str(self._response.url)

    def _next(self) -> bytes:
        self._check()
        try:
            piece = next(self._pieces, b"")
        except (httpx2.HTTPError, OSError) as error:
            raise SourceUnusable(_("The connection to the repository broke.")) from error
        self._left -= len(piece)
        if self._left < 0 or time.monotonic() > self._ends:
            raise SourceUnusable(_("The repository is larger than this server takes."))
        return piece


class GuardedGitClient(AbstractHttpGitClient):
    """A repository at one address; credentials go there only, and no redirect is followed."""

    def __init__(self, address: str, username: str, secret: str, check: Callable[[], None]) -> None:
        self._origin = parse_target(address).origin
        super().__init__(str(parse_target(address)))
        self._headers = authorization(secret, username or ("git" if secret else ""))
        self._check = check
        self._http = guarded_client(source_policy(), SILENCE_SECONDS)

    def close(self) -> None:
        self._http.close()

    def _http_request(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        data: Any = None,
        raise_for_status: bool = True,
    ) -> tuple[Any, Callable[[int], bytes]]:
        # A server may name other places to get packs from: nothing is sent there.
        if parse_target(url).origin != self._origin:
            raise SourceUnusable(_("There is no git repository at this address."))
        sent = {"User-Agent": "git/Parley", "Pragma": "no-cache", **(headers or {})}
        try:
            request = self._http.build_request(
                "GET" if data is None else "POST", str(parse_target(url)), content=data,
                headers=sent | self._headers,
            )  # fmt: skip
            response = self._http.send(request, stream=True)
        except OutboundError as error:
            raise SourceUnusable(str(error)) from error
        except (httpx2.HTTPError, OSError) as error:
            raise SourceUnusable(_("The repository cannot be reached.")) from error
        answer = Answer(response, self._check)
        if reason := _refusal_of(answer):
            answer.close()
            raise SourceUnusable(reason)
        return answer, answer.read


def _refusal_of(answer: Answer) -> str:
    """What is wrong with an answer that no git server gives to whom it lets in."""
    if answer.status in {401, 403}:
        return _("The repository wants other credentials.")
    if answer.status in {301, 302, 303, 307, 308}:
        place = str(answer.headers.get("Location", ""))[:300].partition("/info/refs")[0]
        return _("The repository has moved: use the address %(place)s.") % {"place": place}
    if answer.status != 200 or not (answer.content_type or "").startswith("application/x-git-"):
        return _("There is no git repository at this address.")
    return ""
