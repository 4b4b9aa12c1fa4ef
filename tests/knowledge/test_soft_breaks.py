"""Lines that a Markdown file wraps are read on; breaks with a meaning stay, and every offset."""

import pytest

from accounts.models import User
from events import jobs
from knowledge import services
from knowledge.models import Chunk, DocumentText
from knowledge.soft_breaks import INVISIBLE, read_on
from tests.knowledge.files import as_stream

pytestmark = pytest.mark.django_db

WRAPPED = """# Leave

Every request is in writing, at least
four weeks ahead. Nothing
else was agreed.

年假需要提前
四周申请。

- first
- second

```
weeks = 4
days = 2
```
"""


@pytest.fixture
def owner() -> User:
    return User.objects.create_user("soft@example.test", "a-long-passphrase")


def test_soft_breaks_are_read_on_and_hard_ones_stay(owner):
    collection = services.create_collection(owner, "Handbook", "")
    document, _is_new = services.add_document(owner, collection, as_stream(WRAPPED), "leave.md")
    jobs.run(str(document.job_id))
    passages = list(Chunk.objects.filter(document=document).order_by("position"))
    shown = "\n".join(read_on(passages))
    assert "in writing, at least four weeks ahead. Nothing else was agreed." in shown
    assert f"提前{INVISIBLE}四周" in shown
    assert "first\nsecond" in shown.replace("- ", "")
    assert "weeks = 4\ndays = 2" in shown
    assert [len(text) for text in read_on(passages)] == [len(it.text) for it in passages]
    DocumentText.objects.update(layout=None)
    assert read_on(passages) == [passage.text for passage in passages], "indexed before layouts"
    assert read_on([]) == []
