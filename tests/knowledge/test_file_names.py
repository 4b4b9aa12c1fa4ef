import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.file_names import LONGEST, clean_name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("leave.md", "leave.md"),
        ("请假.txt", "请假.txt"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\temp\\a.txt", "a.txt"),
        ("a\0.txt", "a.txt"),
        ("a\n\x1b[31mb.txt", "a[31mb.txt"),
        ("invoice\u202etxt.exe", "invoicetxt.exe"),
        (os.fsdecode(b"bad\xffname.txt"), "bad\ufffdname.txt"),
        (os.fsdecode("请假".encode("gbk") + b".txt"), "\ufffd" * 4 + ".txt"),
        ("", "file"),
        ("\0", "file"),
        ("é" * 400 + ".docx", "é" * (LONGEST - 5) + ".docx"),
    ],
)
def test_names(name: str, shown: str) -> None:
    assert clean_name(name) == shown


@given(st.text(st.characters(), max_size=400))
def test_every_name_can_be_stored(name: str) -> None:
    shown = clean_name(name)
    assert 0 < len(shown) <= LONGEST
    assert "\0" not in shown
    shown.encode()
