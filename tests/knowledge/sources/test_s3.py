"""A bucket as a source, against moto: a server of S3 by other people, which checks signatures."""

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from embedded.home import REPOSITORY
from knowledge import retrieval
from knowledge.models import Collection, Document, DocumentText, SyncRun
from knowledge.sources.connector import SourceUnusable
from knowledge.sources.s3 import _read
from knowledge.sources.signing import Credentials, encode_query, sign
from tests.knowledge.conftest import run_job
from tests.knowledge.sources.conftest import Add, counts, titles, visit
from tests.support.web import SITE, page, serve

PYTHON = Path(REPOSITORY) / "var" / "compatible" / "bin" / "python"
MOTO = list(PYTHON.parents[1].glob("lib/python3*/site-packages/moto"))


def test_requests_are_signed_as_amazon_signs_its_example():
    """From “Authenticating Requests (AWS Signature Version 4)”, GET Bucket (List Objects)."""
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    headers = sign(
        Credentials("AKIAIOSFODNN7EXAMPLE", secret, "us-east-1"),
        "examplebucket.s3.amazonaws.com", "/", encode_query({"prefix": "J", "max-keys": "2"}),
        datetime(2013, 5, 24, tzinfo=UTC),
    )  # fmt: skip
    wanted = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    assert headers["Authorization"].endswith(f"Signature={wanted}")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Hello</body></html>",
        b'<!DOCTYPE x [<!ENTITY e "x">]><ListBucketResult>&e;</ListBucketResult>',
        b"<ListBucketResult><Contents><Size>many</Size></Contents></ListBucketResult>",
    ],
)
def test_what_is_no_listing_is_none(body: bytes):
    with pytest.raises(SourceUnusable):
        _read(body)


def listing(*keys: str, more: str = "") -> bytes:
    objects = "".join(
        f"<Contents><Key>{key}</Key><ETag>e</ETag><Size>3</Size></Contents>" for key in keys
    )
    return f"<ListBucketResult>{objects}{more}</ListBucketResult>".encode()


@pytest.mark.django_db
def test_a_listing_that_is_cut_and_does_not_say_how_to_go_on_takes_nothing_away(
    add: Add, handbook: Collection, settings
):
    settings.PARLEY_SOURCE_NETWORKS = [ip_network(f"{SITE}/32")]
    whole = page(listing("a.txt", "b.txt"), "application/xml")
    pages = {"/team": whole, "/team/a.txt": page(b"One"), "/team/b.txt": page(b"Two")}
    with serve(pages) as site:
        source = add("s3", address=site.at("/").rstrip("/"), bucket="team", grace_days=0)
        assert counts(visit(source)) == (2, 0, 0, 0, 0)
        for more in (
            "<IsTruncated>true</IsTruncated>",
            "<IsTruncated>True</IsTruncated><NextContinuationToken></NextContinuationToken>",
        ):
            pages["/team"] = page(listing("a.txt", more=more), "application/xml")
            run = visit(source)
            assert (run.status, run.removed) == (SyncRun.Status.FAILED, 0)
            assert run.reason == "The bucket says that it holds more, and not how to ask for it."
            assert titles(handbook) == ["a.txt", "b.txt"]
        pages["/team"] = page(
            listing("a.txt", more="<IsTruncated>false</IsTruncated>"), "application/xml"
        )
        assert visit(source).removed == 1
        assert titles(handbook) == ["a.txt"]


class Bucket:
    """The server, and orders to whoever puts things there."""

    def __init__(self) -> None:
        program = Path(__file__).with_name("s3_server.py")
        self._process = subprocess.Popen(
            [PYTHON, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        told = self._hear()
        self.address = f"http://127.0.0.1:{told['port']}"
        self.access_key, self.secret_key = told["access_key"], told["secret_key"]

    def put(self, key: str, text: str, times: int = 1) -> None:
        self._order({"do": "put", "key": key, "text": text, "times": times})

    def delete(self, key: str) -> None:
        self._order({"do": "delete", "key": key})

    def end(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout
        self._process.stdout.close()

    def _order(self, order: dict[str, Any]) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        self._hear()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    if not MOTO:
        pytest.skip("moto is not installed: `make compatible` does that")
    found = Bucket()
    yield found
    found.end()


@pytest.mark.processes
@pytest.mark.timeout(300)
@pytest.mark.django_db
class TestBucket:
    @pytest.fixture(autouse=True)
    def _opened(self, settings) -> None:
        settings.PARLEY_SOURCE_NETWORKS = [ip_network("127.0.0.0/8")]

    def options(self, server: Bucket, **more: Any) -> dict[str, Any]:
        given = {
            "address": server.address, "bucket": "team-docs", "access_key": server.access_key,
            "secret": server.secret_key,
        }  # fmt: skip
        return given | more

    def test_a_bucket_is_kept_in_step(self, add: Add, handbook: Collection, bucket: Bucket, alice):
        odd = "docs/Größe & +100 %/说明 (1).md"
        bucket.put(odd, "Leave is twenty-five days.")
        bucket.put("docs/travel.md", "Trains are preferred.")
        bucket.put("docs/.env", "PASSWORD=x")
        bucket.put("other/outside.md", "Not this one.")
        bucket.put("docs/a/../b.md", "Elsewhere.")
        source = add("s3", **self.options(bucket, prefix="docs/", grace_days=0))
        run = visit(source)
        assert (run.status, counts(run)) == (SyncRun.Status.SUCCEEDED, (2, 0, 0, 0, 1))
        for document in Document.objects.filter(collection=handbook):
            run_job(document)
        found = retrieval.search(alice, "twenty-five days").passages[0]
        assert DocumentText.objects.get(document=found.document_id).text.startswith("Leave")
        assert counts(visit(source)) == (0, 0, 2, 0, 1)
        bucket.put("docs/travel.md", "Planes are preferred.")
        bucket.put("docs/new.md", "Lunch is free.")
        bucket.delete(odd)
        assert counts(visit(source)) == (1, 1, 0, 1, 1)
        assert "travel.md" in " ".join(titles(handbook))

    def test_more_than_a_page_of_the_listing(self, add: Add, bucket: Bucket, monkeypatch):
        for number in range(7):
            bucket.put(f"many/{number}.txt", f"Number {number}.")
        monkeypatch.setattr("knowledge.sources.s3.AT_ONCE", "3")
        assert counts(visit(add("s3", **self.options(bucket, prefix="many/"))))[0] == 7

    def test_an_object_too_large_fails_alone(self, add: Add, bucket: Bucket, settings):
        settings.PARLEY_MAX_UPLOAD_MB = 1
        bucket.put("large/big.txt", "x" * 1024, times=3 * 1024)
        bucket.put("large/small.txt", "Small.")
        run = visit(add("s3", **self.options(bucket, prefix="large/")))
        assert counts(run) == (1, 0, 0, 0, 1)

    def test_wrong_credentials_and_names_are_said(self, add: Add, bucket: Bucket):
        for wrong, said in (
            ({"secret": "not this one at all"}, "credentials"),
            ({"bucket": "nobodys-bucket"}, "no bucket"),
        ):
            run = visit(add("s3", **self.options(bucket, **wrong)))
            assert run.status == SyncRun.Status.FAILED
            assert said in run.reason
            assert "not this one" not in run.reason

    def test_nothing_private_is_asked(self, add: Add, bucket: Bucket, settings):
        settings.PARLEY_SOURCE_NETWORKS = []
        run = visit(add("s3", **self.options(bucket)))
        assert run.status == SyncRun.Status.FAILED
