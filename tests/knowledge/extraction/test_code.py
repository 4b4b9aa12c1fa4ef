"""Programs: their lines as they are, cut by syntax, with what each part belongs to."""

from pathlib import Path

import pytest

from knowledge.extraction.grammars import GRAMMARS, find_grammar
from knowledge.file_kinds import PROGRAMS
from knowledge.layout import draw, pack, unpack
from tests.knowledge.extraction.reading import passages, read

PYTHON = '''\
"""Roofs."""

import os


# Keeps the rain out.
@covered
class Roof:
    """Of slate."""

    tiles = 3

    def leak(self):
        {body}
        return 1



    def mend(self):
        return "mended"


def build():
\treturn Roof()
'''.format(body="\n        ".join(f"drop_{n} = {n} * {n} + sum([{n}, 1])" for n in range(40)))


def test_a_part_knows_its_line_and_what_it_belongs_to(tmp_path: Path) -> None:
    lines = PYTHON.split("\n")
    drafts = passages(read(tmp_path / "a", "code:python", PYTHON), "roof.py")
    for draft in drafts:
        assert draft.line is not None
        last = draft.line + draft.text.count("\n")
        there = lines[draft.line - 1 : last]
        assert [line.rstrip() for line in there] == draft.text.split("\n")
    paths = [draft.heading_path for draft in drafts]
    assert ("Roof", "leak") in paths
    leak = next(draft for draft in drafts if draft.heading_path == ("Roof", "leak"))
    assert leak.text.startswith("        drop_")  # as it is indented


def test_small_neighbours_share_a_passage_and_what_is_common(tmp_path: Path) -> None:
    source = "class Roof:\n" + "".join(
        f"    def part_{n}(self):\n        return {n}\n\n" for n in range(60)
    )
    drafts = passages(read(tmp_path / "a", "code:python", source))
    assert 3 < len(drafts) < 20
    assert {draft.heading_path for draft in drafts} == {("Roof",)}


def test_line_ends_of_every_system_count_the_same(tmp_path: Path) -> None:
    for end in ("\n", "\r\n"):
        text = PYTHON.replace("\n", end) + f"# \u2028 \x0c \x85{end}def last(): pass{end}"
        found = read(tmp_path / "a", "code:python", text)
        assert found.blocks[-1].line == text.count(end) - 1  # with the remark above it


@pytest.mark.parametrize(
    ("language", "source", "names"),
    [
        ("bash", "roof() {\n  echo 1\n}\n", ["roof"]),
        ("c", "/* of */\nstatic int *roof(int a)\n{\n  return 0;\n}\n", ["roof"]),
        ("cpp", "int Roof::leak(int x) {\n  return 2;\n}\n", ["leak"]),
        ("csharp", "class Roof {\n  int Leak() { return 1; }\n}\n", ["Roof"]),
        ("go", "package a\n\nfunc (r *Roof) Leak() int {\n\treturn 1\n}\n", ["Leak"]),
        ("java", "public class Roof {\n  int leak() { return 1; }\n}\n", ["Roof"]),
        ("javascript", "const roof = (x) => {\n  return 1;\n};\n", ["roof"]),
        ("php", "<?php\nfunction roof() {\n  return 1;\n}\n", ["roof"]),
        ("ruby", "module House\n  class Roof\n  end\nend\n", ["House"]),
        ("rust", "/// Of slate.\n#[test]\nfn roof() {\n}\n", ["roof"]),
        ("tsx", "export function Roof() {\n  return <b/>;\n}\n", ["Roof"]),
        ("typescript", "export interface Roof {\n  tiles: number\n}\n", ["Roof"]),
    ],
)
def test_every_grammar_knows_its_definitions(
    tmp_path: Path, language: str, source: str, names: list[str]
) -> None:
    assert find_grammar(language) is not None
    found = read(tmp_path / "a", f"code:{language}", source)
    scopes = [mark.value for block in found.blocks for mark in block.marks]
    assert scopes == names


def test_what_has_no_grammar_is_cut_where_nothing_is_indented(tmp_path: Path) -> None:
    source = "[roof]\n tiles = 3\n\n depth = 2\n\n[wall]\nred = 1\n"
    found = read(tmp_path / "a", "code:source", source)
    assert [block.line for block in found.blocks] == [1, 6]
    assert {kind.kind.partition(":")[2] for kind in PROGRAMS} == {*GRAMMARS, "source"}


def test_lines_are_drawn_with_their_numbers(tmp_path: Path) -> None:
    found = read(tmp_path / "a", "code:python", PYTHON)
    at = found.text.index('return "mended"')
    shown = draw(found.text, unpack(pack(found) or []), (0, len(found.text)), [(at, at + 6)])
    numbers = [line.number for block in shown for line in block.lines]
    texts = ["".join(run.text for run in line.runs) for block in shown for line in block.lines]
    lines = PYTHON.split("\n")
    assert texts == [lines[number - 1] for number in numbers]
    assert numbers == sorted(set(numbers))
    (marked,) = [
        line.number for b in shown for line in b.lines if any(r.is_marked for r in line.runs)
    ]
    assert lines[marked - 1].strip() == 'return "mended"'
