"""A bucket of S3, or of anything that speaks its protocol: each object is an item.

Requests are signed here and go through the guarded client, as everything that sources ask for. The
server lists what there is with its ETag, so a visit without news is one request for 1,000 objects.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote_plus

import httpx2
from django.utils.translation import gettext as _
from lxml import etree

from knowledge.file_names import printable
from knowledge.sources.connector import Found, Gone, ItemFailed, SourceUnusable, Walk
from knowledge.sources.outside import source_policy
from knowledge.sources.patterns import Wanted
from knowledge.sources.settings import S3Settings
from knowledge.sources.signing import Credentials, encode_path, encode_query, sign
from knowledge.storage import Readable
from security.outbound.errors import OutboundError
from security.outbound.targets import parse_target
from security.outbound.transport import guarded_client

AT_ONCE = "1000"
MOST_LISTED = 16 * 1024 * 1024  # bytes of one answer that lists
SILENCE_SECONDS = 60
OBJECT_SECONDS = 1_800
PIECE = 64 * 1024


@dataclass(slots=True)
class Listed:
    """A page of the listing; `after` asks for the next one."""

    objects: list[tuple[str, str, int]]  # key, ETag, size
    after: str


class S3Connector:
    """The mark of an object is its ETag and its size."""

    def __init__(self, settings: S3Settings, secret: str = "", state: str = "") -> None:
        self._settings = settings
        self._target = parse_target(settings.address)
        self._credentials = (
            Credentials(settings.access_key, secret, settings.region) if secret else None
        )
        self._wanted = Wanted(settings.include, settings.exclude)
        self._http = guarded_client(source_policy(), SILENCE_SECONDS)
        self.is_complete, self.lists_changes = True, False
        self.cursor: dict[str, object] = {}
        self.total: int | None = None
        self.remark = ""

    def walk(self, walk: Walk) -> Iterator[Found | Gone]:
        after = ""
        while True:
            walk.check()
            page = self._list(after)
            for key, etag, size in page.objects:
                relative = key.removeprefix(self._settings.prefix).lstrip("/")
                if not key.endswith("/") and relative in self._wanted:
                    yield _found(key, relative, etag, size)
            if not page.after:
                return
            if page.after == after:
                raise SourceUnusable(_("The bucket lists the same objects again and again."))
            after = page.after

    @contextmanager
    def fetch(self, found: Found) -> Iterator[Readable]:
        try:
            response = self._get(f"/{found.external_id}", {})
        except SourceUnusable as error:
            raise ItemFailed(str(error)) from error
        try:
            if response.status_code == 404:
                raise ItemFailed(_("It is not there any more."))
            if response.status_code != 200:
                text = _("The bucket answered %(status)s.")
                raise ItemFailed(text % {"status": response.status_code})
            yield Body(response)
        finally:
            response.close()

    def close(self) -> None:
        self._http.close()

    def _list(self, after: str) -> Listed:
        query = {
            "list-type": "2", "max-keys": AT_ONCE, "encoding-type": "url",
            "prefix": self._settings.prefix,
        }  # fmt: skip
        response = self._get("", query | ({"continuation-token": after} if after else {}))
        try:
            if reason := _refusal_of(response):
                raise SourceUnusable(reason)
            body = Body(response).read(MOST_LISTED + 1)
        except ItemFailed as error:
            raise SourceUnusable(str(error)) from error
        finally:
            response.close()
        return _read(body)

    def _get(self, path: str, query: Mapping[str, str]) -> httpx2.Response:
        """What is at this place of the bucket; nothing of its body is read yet."""
        base = self._target.path.partition("?")[0].rstrip("/")
        place = encode_path(f"{base}/{self._settings.bucket}{path}")
        asked = encode_query(query)
        origin = str(self._target).removesuffix(self._target.path)
        request = self._http.build_request(
            "GET", f"{origin}{place}" + (f"?{asked}" if asked else ""),
            headers={"User-Agent": "Parley/1.0", "Accept-Encoding": "identity"},
        )  # fmt: skip
        if self._credentials:
            host, now = request.headers["Host"], datetime.now(UTC)
            request.headers.update(sign(self._credentials, host, place, asked, now))
        try:
            return self._http.send(request, stream=True)
        except OutboundError as error:
            raise SourceUnusable(str(error)) from error
        except (httpx2.HTTPError, OSError) as error:
            raise SourceUnusable(_("The server of the bucket cannot be reached.")) from error


class Body:
    """An object as it arrives: memory stays flat whatever its size."""

    def __init__(self, response: httpx2.Response) -> None:
        self._pieces = response.iter_raw(PIECE)
        self._rest = b""
        self._ends = time.monotonic() + OBJECT_SECONDS

    def read(self, size: int = -1, /) -> bytes:
        found = [self._rest]
        length = len(self._rest)
        while (size < 0 or length < size) and (piece := self._next()):
            found.append(piece)
            length += len(piece)
        whole = b"".join(found)
        cut = len(whole) if size < 0 else size
        self._rest = whole[cut:]
        return whole[:cut]

    def _next(self) -> bytes:
        try:
            piece = next(self._pieces, b"")
        except (httpx2.HTTPError, OSError) as error:
            raise ItemFailed(_("The connection to the bucket broke.")) from error
        if time.monotonic() > self._ends:
            raise ItemFailed(_("The answer took too long."))
        return piece


def _found(key: str, relative: str, etag: str, size: int) -> Found:
    name = key.rpartition("/")[2]
    found = Found(
        key, printable(name), title=printable(relative), mark=f"{etag}:{size}", size=size, etag=etag
    )
    if not {".", ".."}.isdisjoint(key.split("/")):  # such a path is another one on its way
        found.failure, found.is_final = _("It is no ordinary file."), True
    return found


def _refusal_of(response: httpx2.Response) -> str:
    """What is wrong with an answer that lists nothing."""
    status = response.status_code
    if status == 200:
        return ""
    region = str(response.headers.get("x-amz-bucket-region", ""))[:40]
    if status in {301, 307, 400} and region:
        return _("The bucket is in the region %(region)s.") % {"region": region}
    if status in {401, 403}:
        return _("The bucket wants other credentials, or does not let them list it.")
    if status == 404:
        return _("There is no bucket of this name at this address.")
    return _("The bucket answered %(status)s.") % {"status": status}


def _read(body: bytes) -> Listed:
    """Raises `SourceUnusable` for what is no listing."""
    nothing = SourceUnusable(_("There is no bucket at this address."))
    if len(body) > MOST_LISTED or b"<!DOCTYPE" in body[:1000]:
        raise nothing
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(body, parser)
        objects = [_object(entry) for entry in root.iterfind("{*}Contents")]
    except (etree.XMLSyntaxError, ValueError) as error:
        raise nothing from error
    if etree.QName(root).localname != "ListBucketResult":
        raise nothing
    if (root.findtext("{*}IsTruncated") or "").strip().lower() != "true":
        return Listed(objects, "")
    after = root.findtext("{*}NextContinuationToken") or ""
    if not after:  # what comes after it must not be taken for removed
        raise SourceUnusable(_("The bucket says that it holds more, and not how to ask for it."))
    return Listed(objects, after)


def _object(entry: "etree._Element") -> tuple[str, str, int]:
    key = unquote_plus(entry.findtext("{*}Key") or "")
    etag = (entry.findtext("{*}ETag") or "").strip('"')
    return key, etag[:150], int(entry.findtext("{*}Size") or 0)
