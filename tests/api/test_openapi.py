import pytest
from django.test import Client

from config.api import api

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def document() -> dict:
    return Client().get("/api/v1/openapi.json").json()


@pytest.fixture(scope="module")
def operations(document) -> list[tuple[str, str, dict]]:
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_is_named_tagged_guarded_and_described(document, operations):
    tags = {tag["name"] for tag in document["tags"]}
    names = [operation["operationId"] for _, _, operation in operations]
    assert len(set(names)) == len(names)
    for method, path, operation in operations:
        place = f"{method} {path}"
        assert operation["summary"], place
        assert set(operation["tags"]) <= tags, place
        assert operation["security"] == [{"BearerToken": []}, {"BrowserSession": []}], place
        assert "401" in operation["responses"], place
        assert "{" not in path or "404" in operation["responses"], place
        assert not operation.get("requestBody") or "422" in operation["responses"], place


def test_both_ways_to_sign_in_are_declared(document):
    schemes = document["components"]["securitySchemes"]
    assert schemes["BearerToken"]["scheme"] == "bearer"
    assert schemes["BrowserSession"]["in"] == "cookie"


def test_every_schema_of_a_body_has_an_example(document, operations):
    schemas = document["components"]["schemas"]

    def named(content: dict) -> set[str]:
        return {
            kind["schema"]["$ref"].rsplit("/", 1)[1]
            for kind in content.values()
            if "$ref" in kind["schema"]
        }

    used = set()
    for _, _, operation in operations:
        used |= named(operation.get("requestBody", {}).get("content", {}))
        for response in operation["responses"].values():
            used |= named(response.get("content", {}))
    pages = {name for name in used if name.startswith("PageOf")}
    items = {
        schemas[name]["properties"]["items"]["items"]["$ref"].rsplit("/", 1)[1] for name in pages
    }
    missing = [name for name in (used - pages) | items if "examples" not in schemas[name]]
    assert not missing


def test_what_may_be_written_is_closed(document, operations):
    schemas = document["components"]["schemas"]
    for method, path, operation in operations:
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            if kind == "application/json":
                schema = schemas[content["schema"]["$ref"].rsplit("/", 1)[1]]
                assert schema["additionalProperties"] is False, f"{method} {path}"


def test_the_documentation_page_needs_nothing_that_the_csp_forbids():
    response = Client().get("/api/v1/docs")
    html = response.content.decode()
    assert response.status_code == 200
    assert "unsafe" not in response["Content-Security-Policy"]
    assert "<style" not in html
    assert " style=" not in html
    assert "//cdn" not in html


def test_operations_are_synchronous_so_that_no_query_meets_the_event_loop():
    for bound in api._get_bound_routers():
        for view in bound.path_operations.values():
            assert not view.is_async
