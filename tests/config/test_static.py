"""Imports of ES modules name the hashed files, each exactly once."""

import re
from pathlib import Path

import pytest

from config.static import StaticStorage

STATEMENTS = [
    'import { a } from "./part.js";',
    'import { toExport } from "./part.js";',
    'import { a as toImport, Export } from "./part.js";',
    "import {\n  a,\n  lastExport,\n} from './part.js';",
    'import whole, { a } from "./part.js";',
    'import * as all from "./part.js";',
    'import "./part.js";',
    'export { a } from "./part.js";',
    'export * from "./part.js";',
    'export * as all from "./part.js";',
    'const late = (await import("./part.js")).default;',
    'export const x = 1;\nimport { a } from "./part.js";',
    'import{a}from"./part.js";export{a};',
]


@pytest.fixture
def packed(tmp_path: Path, settings):
    """Packs one module beside `part.js`; its text as it is served."""

    def pack(text: str) -> str:
        (tmp_path / "part.js").write_text("export const a = 1;\n")
        (tmp_path / "page.js").write_text(text)
        storage = StaticStorage(location=tmp_path, base_url="/static/")
        found = {name: (storage, name) for name in ("part.js", "page.js")}
        problems = [done for _, _, done in storage.post_process(found) if done not in {True, False}]
        assert not problems
        return (tmp_path / storage.stored_name("page.js")).read_text()

    return pack


@pytest.mark.parametrize("text", STATEMENTS)
def test_an_import_names_the_hashed_file_once(packed, text):
    served = packed(text)
    names = re.findall(r"part[.\w]*js", served)
    assert len(names) == 1
    assert re.fullmatch(r"part\.[0-9a-f]{12}\.js", names[0])
    assert re.sub(r"\.[0-9a-f]{12}", "", served).replace('"', "'") == text.replace('"', "'")


@pytest.mark.parametrize(
    "text",
    [
        "const said = () => 'we export (them) from \"./part.js\";';",
        'lexicon.import("./part.js");',
        'import { a } from "https://elsewhere.example/part.js";',
        'const from = "./part.js";',
    ],
)
def test_what_is_no_import_of_ours_stays(packed, text):
    assert packed(text) == text


def test_pdfjs_keeps_the_names_it_asks_for(tmp_path: Path):
    name = "vendor/pdfjs-1.2.3/cmaps/GBK-EUC-H.bcmap"
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_bytes(b"map")
    (tmp_path / "page.js").write_text(f'const late = import("./{name}");')
    storage = StaticStorage(location=tmp_path, base_url="/static/")
    list(storage.post_process({key: (storage, key) for key in (name, "page.js")}))
    assert storage.stored_name(name) == name
    assert (tmp_path / name).exists()
    assert f'"./{name}"' in (tmp_path / storage.stored_name("page.js")).read_text()
