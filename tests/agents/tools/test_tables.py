"""SQL over documents: what it answers, whose documents it sees, and what it cannot do."""

import io
from datetime import date

import pytest
from openpyxl import Workbook

from accounts.services import share
from agents.tools.builtin import tables
from agents.tools.confined.running import Bounds
from agents.tools.types import Taint, ToolRefused
from knowledge import services
from knowledge.models import Collection, Document
from security.ids import new_id
from tests.agents.tools.conftest import Call
from tests.knowledge.conftest import AddText, run_job
from tests.support.cast import SECRET_WORDS

pytestmark = pytest.mark.django_db(transaction=True)
SALES = """city,day,cups,price
Berlin,2026-01-01,3,2.50
Paris,2026-01-02,4,3.00
Berlin,2026-01-03,5,2.75
"""


@pytest.fixture
def sales(handbook: Collection, add_text: AddText) -> Document:
    return add_text(handbook, SALES, "sales.csv")


def book(alice, collection: Collection) -> Document:
    found = Workbook()
    first = found.active
    first.title = "Cups"
    for row in (["name", "n", "since", 'say "hi"', None], ["tea", 1, date(2026, 1, 2), "007", 1.5],
                ["cha", 2, None, "x", 2]):  # fmt: skip
        first.append(row)
    second = found.create_sheet("Plates")
    second.append(["colour", "colour"])
    second.append(["blue", "red"])
    file = io.BytesIO()
    found.save(file)
    document, _ = services.add_document(alice, collection, io.BytesIO(file.getvalue()), "cups.xlsx")
    return run_job(document)


def test_a_table_is_described_and_queried(alice, sales, handbook, call: Call) -> None:
    told = call(alice, "query_table", documents=[str(sales.pk)])
    assert 't1: 3 rows. Columns: "city" VARCHAR, "day" DATE, "cups" BIGINT' in told.text
    asked = "select city, sum(cups * price) as sum from t1 group by city order by city"
    found = call(alice, "query_table", documents=[str(sales.pk)], sql=asked)
    assert found.text == "city,sum\nBerlin,21.25\nParis,12.0"
    assert found.data["columns"] == ["city", "sum"]
    assert found.data["rows"] == [["Berlin", 21.25], ["Paris", 12.0]]
    assert (found.taints, found.readers) == (
        {Taint.UNTRUSTED, Taint.PRIVATE}, {handbook.pk},
    )  # fmt: skip
    many = call(alice, "query_table", documents=[str(sales.pk)], sql="select * from range(1000)")
    assert "There are more rows" in many.text
    assert len(many.data["rows"]) == 50


def test_sheets_and_other_encodings(alice, sales, handbook, call: Call) -> None:
    cups = book(alice, handbook)
    odd, _ = services.add_document(
        alice,
        handbook,
        io.BytesIO("地方;人\n中国的大城市;7\n我们的小国;8\n".encode("gb18030")),
        "odd.csv",
    )
    run_job(odd)
    ids = [str(sales.pk), str(cups.pk), str(odd.pk)]
    told = call(alice, "query_table", documents=ids).text
    assert "t2 (sheet “Cups”): 2 rows." in told
    assert '"name" VARCHAR, "n" BIGINT, "since" TIMESTAMP, "say \'hi\'" VARCHAR' in told
    assert 't2_2 (sheet “Plates”): 1 rows. Columns: "colour" VARCHAR, "colour_" VARCHAR' in told
    asked = 'select sum(n), (select sum("人") from t3), (select count(*) from t1) from t2'
    assert call(alice, "query_table", documents=ids, sql=asked).data["rows"] == [[3, 15, 3]]


def test_an_outsider_learns_nothing(alice, charlie, sales, handbook, add_text, call: Call) -> None:
    add_text(handbook, f"word\n{SECRET_WORDS}\n", "secret.csv")
    refusals = []
    for pk in (sales.pk, new_id()):
        with pytest.raises(ToolRefused) as refused:
            call(charlie, "query_table", documents=[str(pk)], sql="select * from t1")
        refusals.append(str(refused.value))
    assert refusals[0] == refusals[1]
    share(handbook, charlie, "reader", by=alice)
    assert "Berlin" in call(charlie, "query_table", documents=[str(sales.pk)]).text
    other = services.create_collection(alice, "Other")
    with pytest.raises(ToolRefused, match="No document"):
        call(alice, "query_table", documents=[str(sales.pk)], agent={"collections": (other.pk,)})
    note = add_text(handbook, "No table.", "note.md")
    with pytest.raises(ToolRefused, match="no CSV or Excel"):
        call(alice, "query_table", documents=[str(note.pk)])


def test_sql_reaches_nothing_else(alice, sales, handbook, add_text, tmp_path, call: Call) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text(SECRET_WORDS)
    for sql, why in (
        (f"select * from read_text('{secret}')", "disabled by configuration"),
        (f"from glob('{tmp_path}/*')", "disabled by configuration"),
        ("select * from 'http://127.0.0.1:1/x.csv'", "disabled by configuration"),
        (f"copy t1 to '{tmp_path}/out.csv'", "Write one SELECT"),
        ("set enable_external_access = true", "Write one SELECT"),
        ("select 1; drop table t1", "Write one SELECT"),
        ("select * from asked", "does not exist"),  # a variable of the program's
        ("select getenv('PATH')", "does not exist"),
        ("nonsense", "Tables: t1"),
    ):
        with pytest.raises(ToolRefused, match=why) as refused:
            call(alice, "query_table", documents=[str(sales.pk)], sql=sql)
        assert SECRET_WORDS not in str(refused.value)
        # What DuckDB says may quote the table.
        output = refused.value.output
        assert output is not None
        assert output.readers == {handbook.pk}
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["secret.csv"]


def test_a_query_without_an_end_is_ended(alice, sales, monkeypatch, call: Call) -> None:
    monkeypatch.setattr(tables, "BOUNDS", Bounds(seconds=2, memory=1024))
    endless = "with recursive r as (select 1 n union all select n % 9 + 1 from r) select n from r"
    for sql in (f"{endless} where n > 9", "select repeat('x', 2000000000)"):
        with pytest.raises(ToolRefused, match="memory"):
            call(alice, "query_table", documents=[str(sales.pk)], sql=sql)


def test_files_that_lie_are_refused(alice, handbook, call: Call, add_text) -> None:
    document = add_text(handbook, SALES, "sales.csv")
    Document.objects.filter(pk=document.pk).update(
        media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    with pytest.raises(ToolRefused, match="cannot be read"):
        call(alice, "query_table", documents=[str(document.pk)])
