"""Every sentence exists in both Chinese scripts, and what is compiled is what was written.

After changing a sentence: `python manage.py makemessages -a --no-obsolete --no-location --no-wrap`
(once more with `-d djangojs`), fill in what is empty, `python manage.py compilemessages`; commit
the .po and .mo files, so that a machine without gettext has them.
"""

import ast
import gettext
import re
import shutil
from pathlib import Path

import pytest
from django.contrib.auth.password_validation import password_validators_help_texts
from django.core.management import call_command
from django.template.loader import get_template
from django.utils import translation

ROOT = Path(__file__).parents[2]
CATALOGUES = [
    ROOT / "locale" / language / "LC_MESSAGES" / f"{domain}.po"
    for language in ("zh_Hans", "zh_Hant")
    for domain in ("django", "djangojs")
]
ENTRY = re.compile(
    r'^(msgctxt|msgid_plural|msgid|msgstr(?:\[0\])?) (".*"(?:\n".*")*)', re.MULTILINE
)
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd%]|(?<!\{)\{\w+\}")
SOURCES = ["accounts", "agents", "chat", "knowledge", "platform", "static", "templates"]
Entry = dict[str, str]


def read_po(path: Path) -> list[Entry]:
    entries = []
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        entry = {
            name.removesuffix("[0]"): "".join(ast.literal_eval(line) for line in text.split("\n"))
            for name, text in ENTRY.findall(block)
        }
        if entry.get("msgid"):
            entries.append(entry | {"fuzzy": "yes" if "#, fuzzy" in block else ""})
    return entries


def key(entry: Entry) -> tuple[str, str]:
    return entry.get("msgctxt", ""), entry["msgid"]


@pytest.fixture(params=CATALOGUES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def catalogue(request) -> Path:
    return request.param


def test_every_sentence_is_translated(catalogue):
    entries = read_po(catalogue)
    assert len(entries) > 20
    assert not [entry["msgid"] for entry in entries if not entry["msgstr"].strip()]
    assert not [entry["msgid"] for entry in entries if entry["fuzzy"]]


def test_placeholders_survive_translation(catalogue):
    for entry in read_po(catalogue):
        source = entry.get("msgid_plural", entry["msgid"])
        wanted, found = PLACEHOLDER.findall(source), PLACEHOLDER.findall(entry["msgstr"])
        assert sorted(wanted) == sorted(found), entry["msgid"]


def test_the_compiled_catalogue_is_current(catalogue):
    with catalogue.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    entries = read_po(catalogue)
    for entry in entries:
        context, source = key(entry)
        if "msgid_plural" in entry:
            found = (
                compiled.npgettext(context, source, entry["msgid_plural"], 2)
                if context
                else compiled.ngettext(source, entry["msgid_plural"], 2)
            )
        else:
            found = compiled.pgettext(context, source) if context else compiled.gettext(source)
        assert found == entry["msgstr"], source
    names = [name for name in compiled._catalog if name]
    assert len(names) == len(entries)


@pytest.mark.skipif(
    shutil.which("xgettext") is None, reason="No gettext: `apt-get install gettext`."
)
@pytest.mark.parametrize("domain", ["django", "djangojs"])
def test_no_sentence_of_the_project_is_missing(domain, settings, tmp_path, monkeypatch):
    copy = tmp_path / "parley"
    for name in SOURCES:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("vendor", "*.pyc"))
    (copy / "locale" / "zh_Hans").mkdir(parents=True)
    monkeypatch.chdir(copy)
    settings.LOCALE_PATHS = [copy / "locale"]
    call_command("makemessages", locale=["zh_Hans"], domain=domain, no_location=True, verbosity=0)
    used = read_po(copy / "locale" / "zh_Hans" / "LC_MESSAGES" / f"{domain}.po")
    known = read_po(CATALOGUES[0].with_name(f"{domain}.po"))
    assert {key(entry) for entry in used} == {key(entry) for entry in known}


@pytest.mark.parametrize(("language", "words"), [("zh-hans", "登录"), ("zh-hant", "登入")])
def test_pages_speak_the_language(language, words, rf):
    request = rf.get("/accounts/login/")
    with translation.override(language):
        assert words in get_template("account/signup_closed.html").render({}, request)


@pytest.mark.parametrize("language", ["zh-hans", "zh-hant"])
def test_rules_of_passwords_are_as_polite_as_the_rest(language):
    with translation.override(language):
        rules = "".join(password_validators_help_texts())
    assert "您的" in rules
    assert "你" not in rules
