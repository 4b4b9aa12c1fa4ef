import json
import logging
import re

import pytest
import structlog

from observability import logs
from observability.logs import CrashesOnly


@pytest.fixture
def as_json(monkeypatch, settings):
    monkeypatch.setenv("PARLEY_LOG_FORMAT", "json")
    monkeypatch.setattr("sys.argv", ["manage.py", "serve"])
    logs.configure({"level": "INFO"})
    yield
    structlog.contextvars.clear_contextvars()
    monkeypatch.undo()
    logs.configure(settings.LOGGING)


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_line_is_one_json_object(as_json, capsys):
    logging.getLogger("somewhere").info("said %s", "this", extra={"ms": 3})

    (line,) = lines(capsys)
    assert line["event"] == "said this"
    assert line["logger"] == "somewhere"
    assert line["level"] == "info"
    assert line["ms"] == 3
    assert line["timestamp"].endswith("Z")


def test_structlog_and_logging_come_out_the_same(as_json, capsys):
    structlog.get_logger("somewhere").warning("happened", count=2)

    (line,) = lines(capsys)
    assert (line["event"], line["count"], line["level"]) == ("happened", 2, "warning")


def test_a_traceback_stays_on_its_line(as_json, capsys):
    try:
        int("broken")
    except ValueError:
        logging.getLogger("somewhere").exception("failed")

    (line,) = lines(capsys)
    assert "ValueError: invalid literal" in line["exception"]


def test_chinese_is_readable(as_json, capsys):
    logging.getLogger("somewhere").info("索引完成")

    assert "索引完成" in capsys.readouterr().out


@pytest.mark.django_db
def test_a_request_has_one_line_with_its_id_and_without_its_query(as_json, capsys, client):
    response = client.get("/no-such-page?q=private+words", HTTP_X_REQUEST_ID="from-the-proxy-1")

    (line,) = [line for line in lines(capsys) if line["logger"] == "parley.request"]
    assert line["event"] == "GET /no-such-page"
    assert line["request_id"] == "from-the-proxy-1" == response.headers["X-Request-ID"]
    assert line["status"] == 404
    assert "private" not in json.dumps(line)


@pytest.mark.parametrize("given", ["short", "x" * 65, "line\tbreak 12", "päth-12345678"])
def test_an_id_that_could_forge_a_line_is_replaced(client, given):
    response = client.get("/health", HTTP_X_REQUEST_ID=given)

    assert response.headers["X-Request-ID"] != given
    assert len(response.headers["X-Request-ID"]) == 32


def test_a_person_gets_a_readable_line(monkeypatch, settings, capsys):
    monkeypatch.setenv("PARLEY_LOG_FORMAT", "pretty")
    monkeypatch.setattr("sys.argv", ["manage.py", "serve"])
    logs.configure({"level": "INFO"})
    try:
        logging.getLogger("somewhere").warning("slow", extra={"ms": 3})
    finally:
        monkeypatch.undo()
        logs.configure(settings.LOGGING)

    line = re.sub(r"\x1b\[\d+m", "", capsys.readouterr().out)
    assert re.fullmatch(r"\d\d:\d\d:\d\d slow  ms=3\n", line)


def test_only_crashes_are_taken_from_django():
    crash = logging.LogRecord("django.request", 40, "", 0, "", (), (ValueError, None, None))
    notice = logging.LogRecord("django.request", 40, "", 0, "", (), None)

    assert CrashesOnly().filter(crash)
    assert not CrashesOnly().filter(notice)
