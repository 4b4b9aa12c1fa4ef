import hashlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts import services as accounts
from events import jobs
from gateway.embedding.embedder import get_embedder
from knowledge.extraction.process import reading_process
from knowledge.models import Collection, Document
from tests.support.cast import Api

pytestmark = pytest.mark.django_db
TEXT = b"# Travel\n\nTrains are preferred to planes below 600 km. Book early.\n"


@pytest.fixture(autouse=True)
def _files_apart(settings, tmp_path):
    settings.FILES_ROOT = tmp_path / "files"


@pytest.fixture(scope="module", autouse=True)
def _close_reader():
    yield
    reading_process.close()


@pytest.fixture
def api(alice, api_for) -> Api:
    return api_for(alice)


@pytest.fixture
def collection_id(api) -> str:
    return api.post("/collections", {"name": " Handbook ", "description": "How"}).json()["id"]


def upload(api: Api, collection_id: str, name: str = "travel.md", content: bytes = TEXT):
    return api.upload(
        f"/collections/{collection_id}/documents", file=SimpleUploadedFile(name, content)
    )


def test_a_collection_from_making_to_deleting(api, collection_id):
    place = f"/collections/{collection_id}"
    shown = api.get(place).json()
    assert (shown["name"], shown["role"], shown["document_count"]) == ("Handbook", "owner", 0)
    changed = api.patch(place, {"description": "", "name": None}).json()
    assert (changed["name"], changed["description"]) == ("Handbook", "")
    assert [item["id"] for item in api.get("/collections").json()["items"]] == [collection_id]
    assert api.delete(place).status_code == 204
    assert api.get(place).status_code == api.delete(place).status_code == 404


def test_a_document_from_upload_to_search_and_out_again(api, collection_id):
    get_embedder().embed(["warm up"])
    accepted = upload(api, collection_id)
    assert accepted.status_code == 202
    body = accepted.json()
    assert (body["status"], body["is_new"]) == ("queued", True)
    place = f"/documents/{body['id']}"
    job_id = api.get(place).json()["job_id"]
    assert api.get(f"/jobs/{job_id}").json()["status"] == "queued"
    jobs.run(job_id)

    shown = api.get(place).json()
    assert (shown["status"], shown["reason"]) == ("ready", "")
    assert shown["sha256"] == hashlib.sha256(TEXT).hexdigest()
    assert {stage["status"] for stage in shown["stages"]} == {"done"}
    assert api.get(f"/jobs/{job_id}").json()["status"] == "succeeded"
    assert api.get(f"/collections/{collection_id}").json()["document_count"] == 1

    found = api.post("/search", {"query": "train or plane?", "limit": 3}).json()["passages"][0]
    assert found["document_id"] == body["id"]
    assert found["ranks"]
    (chunk,) = api.get(f"{place}/chunks").json()["items"]
    around = f"{place}/passage?start={chunk['start']}&end={chunk['end']}&around=5"
    assert api.get(around).json()["quote"] == chunk["text"] == found["text"]

    assert api.delete(place).status_code == 204
    assert api.post("/search", {"query": "train or plane?"}).json()["passages"] == []


def test_the_same_bytes_are_the_same_document(api, collection_id):
    first, again = (upload(api, collection_id, name).json() for name in ("a.md", "b.md"))
    assert first["id"] == again["id"]
    assert (first["is_new"], again["is_new"]) == (True, False)
    assert Document.objects.count() == 1


def test_a_file_comes_back_as_a_download_that_no_browser_runs(api, collection_id):
    html = b"<!doctype html><html><script>alert(1)</script><p>Hello there.</p></html>"
    document_id = upload(api, collection_id, "page.html", html).json()["id"]
    response = api.get(f"/documents/{document_id}/file")
    assert b"".join(response) == html
    assert response["Content-Disposition"] == 'attachment; filename="page.html"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("sandbox")


@pytest.mark.parametrize(
    ("name", "content", "status", "problem"),
    [
        ("bomb.exe", b"MZ\x90\x00" + b"\0" * 64, 415, "unsupported-file"),
        ("fake.pdf", b"MZ\x90\x00" + b"\0" * 64, 415, "unsupported-file"),
        ("big.txt", b"x" * (1024 * 1024 + 1), 413, "too-large"),
    ],
)
def test_files_that_are_not_taken(api, collection_id, settings, name, content, status, problem):
    settings.PARLEY_MAX_UPLOAD_MB = 1
    response = upload(api, collection_id, name, content)
    assert response.status_code == status, response.content
    assert response.json()["type"].endswith(problem) or status == 413
    assert response.json()["detail"]
    assert not Document.objects.exists()


def test_an_upload_is_multipart_with_a_file(api, collection_id):
    place = f"/collections/{collection_id}/documents"
    assert api.post(place, {"file": "x"}).status_code == 415
    assert api.upload(place, note="x").status_code == 422
    broken = api("POST", place, data=b"--x", content_type="multipart/form-data; boundary=")
    assert broken.status_code == 400


def test_roles_show_and_bind(api, alice, bob, api_for, collection_id):
    collection = Collection.objects.get(pk=collection_id)
    accounts.share(collection, bob, "reader", by=alice)
    reader = api_for(bob)
    place = f"/collections/{collection_id}"
    assert reader.get(place).json()["role"] == "reader"
    refused = reader.patch(place, {"name": "Mine"})
    assert refused.status_code == 403
    assert refused.json()["type"] == "urn:parley:problem:not-allowed"
    assert upload(reader, collection_id).status_code == 403
    accounts.unshare(collection, bob, by=alice)
    assert reader.get(place).status_code == 404


def test_the_list_of_documents_is_of_one_collection_or_of_all(api, collection_id):
    other = api.post("/collections", {"name": "Other"}).json()["id"]
    upload(api, collection_id)
    upload(api, other, "x.md", b"# Something else\n\nText.")
    assert len(api.get("/documents").json()["items"]) == 2
    (only,) = api.get(f"/documents?collection={other}").json()["items"]
    assert only["collection_id"] == other


def test_several_documents_are_changed_at_once_and_come_back(api, collection_id):
    ids = [
        upload(api, collection_id, f"{n}.md", TEXT + bytes([65 + n])).json()["id"] for n in (0, 1)
    ]
    for document_id in ids:
        jobs.run(api.get(f"/documents/{document_id}").json()["job_id"])
    other = api.post("/collections", {"name": "Other"}).json()["id"]
    kept = upload(api, other).json()["id"]
    place = f"/collections/{collection_id}/documents/bulk"

    def change(action: str) -> list[str]:
        answer = api.post(place, {"action": action, "documents": [*ids, kept]})
        return sorted(answer.json()["documents"])

    assert change("delete") == sorted(ids)
    assert change("delete") == []
    assert [api.get(f"/documents/{pk}").status_code for pk in (*ids, kept)] == [404, 404, 200]
    assert api.post(f"/documents/{ids[0]}/restore").json()["status"] == "queued"
    assert change("restore") == [ids[1]]
    for document_id in ids:
        jobs.run(api.get(f"/documents/{document_id}").json()["job_id"])
    assert change("reindex") == sorted(ids)
    assert api.post(place, {"action": "burn", "documents": ids}).status_code == 422
    assert api.post(place, {"action": "delete", "documents": []}).status_code == 422


def test_an_owner_sees_and_searches_as_somebody_else(
    api, api_for, alice, bob, charlie, collection_id
):
    document_id = upload(api, collection_id).json()["id"]
    jobs.run(api.get(f"/documents/{document_id}").json()["job_id"])
    handbook = Collection.objects.get(pk=collection_id)
    accounts.share(handbook, bob, "reader", by=alice)
    place = f"/collections/{collection_id}/view-as"
    seen = api.get(f"{place}?as={bob.pk}").json()
    assert seen["role"] == "reader"
    assert [document["id"] for document in seen["documents"]["items"]] == [document_id]
    nobody = api.get(place).json()
    assert (nobody["role"], nobody["documents"]["items"]) == ("", [])
    search = f"/collections/{collection_id}/search-as"
    found = api.post(search, {"query": "trains", "as": str(bob.pk)}).json()["passages"]
    assert [passage["document_id"] for passage in found] == [document_id]
    assert api.post(search, {"query": "trains"}).json()["passages"] == []
    for stranger in (charlie.pk, collection_id):
        assert api.get(f"{place}?as={stranger}").status_code == 404
    assert api_for(bob).get(f"{place}?as={alice.pk}").status_code == 403
