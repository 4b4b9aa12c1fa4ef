import pytest

from knowledge.analyzer import analyze
from knowledge.matches import mark_terms


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ("notice of leave", "Leaving needs noticed leave.", ["Leaving", "noticed", "leave"]),
        ("DiffExecutor", "A DiffExecutor runs.", ["DiffExecutor"]),
        ("陪產假", "員工的陪產假有四週。", ["陪產假"]),
        ("陪产假", "員工的陪產假有四週。", ["陪產假"]),
        ("假", "產假與事假", ["假", "假"]),
        ("GPU 記憶體", "GPU 的記憶體不足", ["GPU", "記憶體"]),
        ("nothing here", "Something else.", []),
    ],
)
def test_marks_what_the_analyzer_matched(query, text, marked):
    runs = mark_terms(text, analyze(query))
    assert [run.text for run in runs if run.is_marked] == marked
    assert "".join(run.text for run in runs) == text
