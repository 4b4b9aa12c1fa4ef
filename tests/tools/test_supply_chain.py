"""Statement 55: hashes pinned, every part listed, what is known to be vulnerable refused."""

import json
from importlib import resources

import jsonschema_rs
import pytest

from tools import audit, sbom
from tools.audit import NotAudited, read_npm_audit, read_pip_audit
from tools.locked import ROOT, read_pins, read_vendored

LOCKS = sorted(ROOT.glob("requirements*.txt"))
LOCKS = [path for path in LOCKS if path.name != "requirements-overrides.txt"]
COPYLEFT = ("GPL-2", "GPL-3", "AGPL", "General Public License")


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_s55_every_requirement_is_pinned_with_hashes(lock):
    pins = list(read_pins(lock))
    assert pins
    assert [pin.name for pin in pins if not pin.hashes] == []


def test_s55_a_requirement_without_a_pin_is_seen(tmp_path):
    lock = tmp_path / "requirements.txt"
    lock.write_text("django>=5\n")
    with pytest.raises(ValueError, match="not pinned"):
        list(read_pins(lock))


def test_s55_whatever_is_installed_by_make_is_checked_by_hash():
    text = (ROOT / "Makefile").read_text()
    installs = [line for line in text.splitlines() if "pip install" in line]
    assert installs
    assert all("--require-hashes" in line or "$(INSTALL)" in line for line in installs)


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    path = tmp_path_factory.mktemp("sbom") / "sbom.cdx.json"
    assert sbom.main([str(path)]) == 0
    return path.read_text()


def test_s55_the_list_of_parts_is_valid_cyclonedx(listed):
    schemas = resources.files("cyclonedx.schema") / "_res"

    def read(uri):
        return json.loads((schemas / uri.rpartition("/")[2]).read_text())

    schema = read("bom-1.6.SNAPSHOT.schema.json")
    validator = jsonschema_rs.validator_for(schema, retriever=read)
    assert [error.message for error in validator.iter_errors(json.loads(listed))] == []


def test_s55_every_pin_and_every_vendored_library_is_in_the_list(listed):
    listed_purls = {component["purl"] for component in json.loads(listed)["components"]}
    python = {f"pkg:pypi/{p.name}@{p.version}" for p in read_pins(ROOT / "requirements.txt")}
    browser = {
        f"pkg:npm/{library.name.replace('@', '%40')}@{library.version}"
        for library in read_vendored()
    }
    assert browser
    assert python | browser <= listed_purls
    assert {purl.partition("@")[0] for purl in listed_purls - python - browser} == {
        "pkg:generic/postgresql", "pkg:generic/redis",
    }  # fmt: skip


def test_s55_what_is_installed_says_its_licence_and_none_is_copyleft(listed):
    components = json.loads(listed)["components"]
    silent = [c["name"] for c in components if not c.get("licenses")]
    assert len(silent) < len(components) / 10, silent
    for component in components:
        words = licence_of(component).replace("LGPL", "").replace("Lesser", "")
        assert not any(word in words for word in COPYLEFT), component["name"]


def licence_of(component):
    """What it declares; of several that it offers, the one we say we chose."""
    declared = component.get("licenses", [])
    properties = {p["name"]: p["value"] for p in component.get("properties", [])}
    chosen = properties.get("parley:licence-chosen")
    if chosen is None:
        return json.dumps(declared)
    (only,) = declared
    assert chosen in only["expression"].split(" OR "), "what is not offered cannot be chosen"
    return chosen


def test_s55_the_same_locks_give_the_same_list(listed, tmp_path):
    sbom.main([str(tmp_path / "again.json")])
    assert (tmp_path / "again.json").read_text() == listed


VULNERABLE = {"name": "d", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}


def test_s55_a_known_vulnerability_fails_the_audit():
    said = json.dumps({"dependencies": [{"name": "a", "version": "1", "vulns": []}, VULNERABLE]})
    assert read_pip_audit(said) == (2, ["d 1: CVE-1 (fixed in 2)"])


SKIPPED = '{"dependencies": [{"name": "a", "skip_reason": "no"}]}'


@pytest.mark.parametrize("said", ["", "{}", "[]", '{"dependencies": []}', SKIPPED])
def test_s55_no_answer_is_not_taken_for_a_good_one(said):
    with pytest.raises(NotAudited):
        read_pip_audit(said)
    with pytest.raises(NotAudited):
        read_npm_audit(said)


def test_s55_only_what_is_serious_in_browser_libraries_counts():
    packages = {n: {"name": n, "severity": n} for n in ("low", "moderate", "high", "critical")}
    said = json.dumps({"metadata": {"dependencies": {"total": 9}}, "vulnerabilities": packages})
    assert read_npm_audit(said) == (9, ["high: high", "critical: critical"])


@pytest.mark.parametrize(("required", "status"), [("", 0), ("1", 1)])
def test_s55_without_a_source_it_says_so_and_fails_only_where_it_must(
    monkeypatch, capsys, required, status
):
    """The real programs, on a network that leads nowhere."""
    monkeypatch.setenv("CI_REQUIRE_AUDIT", required)
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setattr(audit, "LOCKS", ("requirements-bootstrap.txt",))
    assert audit.main() == status
    assert capsys.readouterr().out.startswith("not audited: Python packages: ")
