import json
import os
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from accounts.models import User
from config import doctor
from embedded.home import REPOSITORY
from gateway.models import Deployment, Endpoint, Model
from observability.heartbeats import beating

pytestmark = pytest.mark.django_db


def examine() -> dict[str, doctor.Finding]:
    return {finding.name: finding for finding in doctor.examine()}


def test_each_failure_names_the_next_step():
    for finding in doctor.examine():
        assert finding.status in {doctor.OK, doctor.WARN, doctor.FAIL}
        assert bool(finding.next_step) == (finding.status != doctor.OK), finding


def test_a_running_installation_is_well(capsys, tmp_path, settings):
    (tmp_path / "staticfiles.json").write_text("{}")
    settings.STATIC_ROOT = tmp_path
    User.objects.create_superuser("admin@example.org", "x")
    with beating("runner"), beating("worker"), beating("clock"):
        call_command("doctor")

    assert "Everything Parley needs is there." in capsys.readouterr().out


def test_the_report_is_one_json_object_and_the_status_says_so(capsys):
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", "--json")

    report = json.loads(capsys.readouterr().out)
    assert ended.value.code == 1
    assert report["ok"] is False
    assert {"name", "status", "message", "next_step"} == set(report["findings"][0])


def test_processes_that_are_not_seen_fail():
    with beating("worker"):
        found = examine()

    assert found["Worker"].status == doctor.OK
    assert found["Runner"].status == doctor.FAIL
    assert "manage.py runner" in found["Runner"].next_step


def test_a_model_is_a_hint_only():
    assert examine()["Model"].status == doctor.WARN

    endpoint = Endpoint.objects.create(name="local", base_url="http://127.0.0.1:1/v1")
    model = Model.objects.create(name="small")
    Deployment.objects.create(model=model, endpoint=endpoint, upstream_name="small")
    assert examine()["Model"] == doctor.Finding("Model", doctor.OK, "small")

    Endpoint.objects.update(last_error="refused")
    assert "local" in examine()["Model"].message


def test_every_variable_of_the_settings_is_documented():
    read = re.findall(
        r'env\.\w+\(\s*"([A-Z_]+)"', (REPOSITORY / "platform/config/settings.py").read_text()
    )
    documented = (REPOSITORY / ".env.example").read_text()

    assert len(read) > 15
    assert [name for name in read if not re.search(rf"\b{name}\b", documented)] == []


def test_the_suite_runs_on_a_state_folder_of_its_own():
    assert Path(os.environ["PARLEY_HOME"]) == settings.PARLEY_HOME.path
    assert settings.PARLEY_HOME.path != REPOSITORY / "var"
