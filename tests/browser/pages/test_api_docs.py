"""The API's documentation is a page of this site: its own scripts, under the strict policy."""


def test_the_documentation_opens_and_tries_operations(visit, alice):
    page = visit(alice, "/api/v1/docs")
    page.get_by_role("heading", name="Parley").first.wait_for()
    operation = page.locator("#operations-Account-get_me")
    operation.get_by_role("button").first.click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    operation.locator(".live-responses-table .response-col_status").get_by_text("200").wait_for()
    assert alice.email in operation.locator(".live-responses-table").inner_text()
