"""In CI, on a machine that is busy at times, a test that fails is tried once more; CI says which.

What files and the session share is opened once and closed in its time, also around a second try:
a browser that stayed open would fail every test of the database after it.
"""

import os
from typing import Any

import pytest
from _pytest.runner import call_and_report, get_reraise_exceptions

HAPPENED = "rerun"  # the outcome of a failure that was not the last word


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    if not os.environ.get("CI"):
        return None
    told = {"nodeid": item.nodeid, "location": item.location}
    item.ihook.pytest_runtest_logstart(**told)
    reports = _try(item)
    if failures := [report for report in reports if report.failed]:
        for report in failures:
            report.outcome = HAPPENED  # type: ignore[assignment]
            item.ihook.pytest_runtest_logreport(report=report)
        reports = _try(item, again=True)
    for report in [*reports, *_close_shared(item, nextitem)]:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(**told)
    return True


def _try(item: Any, *, again: bool = False) -> list[pytest.TestReport]:
    """The test with what is its own; what others share stays open."""
    if not item._request:
        item._initrequest()
    if again:
        _forget_failed_fixtures(item)
    reports = [call_and_report(item, "setup", log=False)]
    if reports[0].passed:
        reports.append(call_and_report(item, "call", log=False))
    reports.append(call_and_report(item, "teardown", log=False, nextitem=item.parent))
    item._request, item.funcargs = False, None
    return reports


def _close_shared(item: Any, nextitem: pytest.Item | None) -> list[pytest.TestReport]:
    """What no further test needs; says only what went wrong."""
    closed = pytest.CallInfo.from_call(
        lambda: item.session._setupstate.teardown_exact(nextitem),
        when="teardown",
        reraise=get_reraise_exceptions(item.config),
    )
    if closed.excinfo is None:
        return []
    return [item.ihook.pytest_runtest_makereport(item=item, call=closed)]


def _forget_failed_fixtures(item: Any) -> None:
    """What could not be opened for a file or the session is tried again too."""
    for definitions in item._fixtureinfo.name2fixturedefs.values():
        for definition in definitions:
            if definition.cached_result and definition.cached_result[2]:
                definition.finish(item._request)


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, Any] | None:
    return (HAPPENED, "R", ("RERUN", {"yellow": True})) if report.outcome == HAPPENED else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    tried = terminalreporter.getreports(HAPPENED)
    if tried:
        terminalreporter.section("failed at the first try")
    for report in tried:
        terminalreporter.line(f"RERUN {report.nodeid} ({report.when})")
        terminalreporter.line(report.longreprtext)
