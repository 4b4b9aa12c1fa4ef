"""What a reader sees of a file is cut out of its stored text: nothing lost, nothing added."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.extraction.dispatch import read_file
from knowledge.extraction.styled import Styled
from knowledge.layout import ShownBlock, draw, pack, unpack
from knowledge.reading import Run
from knowledge.types import Mark
from tests.support import papers

MARKDOWN = """# Leave

Every request is **in writing, _four weeks_ahead_** and see [the form](https://forms.example/a).
It goes on here.

> Nothing else\u200b was agreed.

- first
- second with `code`
  1. inner 甲

| Kind | Days |
|------|------|
| Annual | **28** |
| 年假 | |

```py
weeks = 4
```
"""
HTML = """<main><h1>Leave <i>rules</i></h1><p>Every  <b>request
is in <em>writing</em></b>,<br>always. <a href="https://forms.example/a">The form</a>
<a href="javascript:alert(1)">not this</a></p><ul><li>first<ul><li>inner</li></ul><li>second</ul>
<table><tr><th>Kind<th>Days<tr><td>Annual<td><b>28</b></table><pre>weeks = <b>4</b>
done</pre></main>"""


@pytest.fixture
def shown(tmp_path: Path):
    """Extracts a file and draws all of it, with the characters of `words` marked."""

    def show(kind: str, data: bytes, words: str = "") -> tuple[str, list[ShownBlock]]:
        path = tmp_path / "file"
        path.write_bytes(data)
        extracted = read_file(path, kind)
        text = extracted.text
        at = text.index(words) if words else 0
        stored = json.loads(json.dumps(pack(extracted)))
        return text, draw(text, unpack(stored), (0, len(text)), [(at, at + len(words))])

    return show


def runs_of(block: ShownBlock) -> list[Run]:
    cells = [cell for row in block.rows for cell in row]
    return [*block.runs, *(run for part in [*block.items, *cells] for run in part.runs)]


def looks(blocks: list[ShownBlock], name: str) -> list[str]:
    runs = [run for block in blocks for run in runs_of(block)]
    return ["".join(run.text for run in runs if name in run.names)] if runs else []


def visible(text: str) -> str:
    """Without what a list or a table has in place of its own signs."""
    return "".join(c for c in text if not c.isspace() and c not in "-|." and not c.isdigit())


CASES = [
    ("markdown", MARKDOWN.encode()),
    ("html", HTML.encode()),
    ("docx", papers.word()),
    ("text", "Chapter 1 Leave\n\nFour weeks\nahead.\n\n请假\n".encode()),
]


@pytest.mark.parametrize(("kind", "data"), CASES, ids=[kind for kind, _ in CASES])
def test_every_visible_character_is_shown_once_and_in_order(shown, kind, data):
    text, blocks = shown(kind, data)
    drawn = "".join(run.text for block in blocks for run in runs_of(block))
    assert visible(drawn) == visible(text)


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        ("markdown", MARKDOWN.encode(), "four weeks_ahead and see the"),
        ("markdown", MARKDOWN.encode(), "28"),
        ("markdown", MARKDOWN.encode(), "inner 甲"),
        ("markdown", MARKDOWN.encode(), "weeks = 4"),
        ("html", HTML.encode(), "request is in writing,\nalways"),
        ("html", HTML.encode(), "4\ndone"),
        ("html", HTML.encode(), "inner"),
        ("docx", papers.word(), "in writing and four weeks"),
        ("docx", papers.word(), "二十八天"),
        ("docx", papers.word(), "in their absence"),
    ],
)
def test_exactly_the_asked_characters_are_marked(shown, kind, data, words):
    _, blocks = shown(kind, data, words)
    marked = [run for block in blocks for run in runs_of(block) if run.is_marked]
    assert "".join(run.text for run in marked) == words
    assert [run.is_first for run in marked] == [True] + [False] * (len(marked) - 1)


def test_markdown_keeps_what_it_says_with_signs(shown):
    _, blocks = shown("markdown", MARKDOWN.encode())
    assert [(block.kind, block.level) for block in blocks][:2] == [("heading", 2), ("paragraph", 0)]
    assert looks(blocks, "code") == ["code"]
    assert "28" in looks(blocks, "b")[0]
    quote, items, table, code = blocks[2:]
    assert quote.is_quote
    assert [(item.depth, item.marker) for item in items.items] == [(0, "-"), (0, "-"), (1, "1.")]
    assert [[cell.is_header for cell in row] for row in table.rows] == [
        [True] * 2,
        *[[False] * 2] * 2,
    ]
    assert code.kind == "code"
    [link] = {run.href for run in blocks[1].runs if run.href}
    assert link == "https://forms.example/a"
    assert " It goes on" in "".join(run.text for run in blocks[1].runs)


def test_an_address_that_is_no_link_of_the_web_is_text(shown):
    _, blocks = shown("html", HTML.encode())
    runs = [run for block in blocks for run in runs_of(block)]
    assert [run.href for run in runs if "not this" in run.text] == [""]
    assert [run.href for run in runs if run.text == "The form"] == ["https://forms.example/a"]


def test_word_keeps_lists_tables_and_emphasis(shown):
    _, blocks = shown("docx", papers.word())
    assert looks(blocks, "b") == ["in writing"]
    assert looks(blocks, "i") == ["four weeks"]
    [items] = [block.items for block in blocks if block.items]
    assert [(item.depth, item.marker) for item in items] == [(0, "1."), (0, "2."), (1, "-")]
    [table] = [block.rows for block in blocks if block.rows]
    assert "".join(run.text for run in table[2][1].runs) == "二十八天"
    assert blocks[-1].is_quote


def test_pages_are_not_laid_out(tmp_path: Path):
    (tmp_path / "file").write_bytes(papers.rotated())
    assert pack(read_file(tmp_path / "file", "pdf")) is None


@given(st.text("ab \n\t\u200b\0", max_size=40), st.data())
def test_marks_follow_their_characters_through_every_tidying(text, data):
    edges = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=2)))
    content = Styled(text)
    content.marks = [Mark(edges[0], edges[1], "b")]
    tidied = " ".join(text.replace("\0", " ").replace("\u200b", "").split())
    [mark] = content.retold(tidied).marks
    kept = "".join(c for c in text[edges[0] : edges[1]] if c in "ab")
    assert tidied[mark.start : mark.end].replace(" ", "") == kept
