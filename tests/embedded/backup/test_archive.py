"""The archive: whole and verified, or refused with a reason. Read as something hostile."""

import hashlib
import io
import os
import tarfile
import uuid

import psutil
import pytest

from embedded.backup import archive
from embedded.backup.archive import (
    DATABASE,
    MANIFEST,
    SEAL,
    Writer,
    read_parts,
    verify,
    written_whole,
)
from embedded.backup.errors import BackupError, BackupRefused
from embedded.backup.manifest import Manifest, Table

FILE = f"files/{uuid.UUID(int=7)}"
PARTS = {DATABASE: b"rows" * 700, FILE: b"", "keys/secrets.key": b"word"}


def manifest_of(writer, **changes):
    values = {
        "created_at": "2026-11-21T00:00:00+00:00", "postgres": 18, "pg_dump": 18,
        "database_bytes": 1, "migrations": ["chat.0001_initial"],
        "tables": {"chat_turn": Table(rows=1, digest="7")}, "secret_keys": {}, "lost_files": [],
        "parts": writer.parts,
    }  # fmt: skip
    return Manifest(**(values | changes))


def write(path, parts=PARTS, **changes):
    with written_whole(path, verify) as file:
        writer = Writer(file, 0)
        for name, content in parts.items():
            writer.add(name, [content[:5], content[5:]])
        writer.close(manifest_of(writer, **changes))
    return path


@pytest.fixture
def backup(tmp_path):
    return write(tmp_path / "backup.tar")


def test_what_was_written_is_read_again(backup):
    assert {name: b"".join(pieces) for name, pieces in read_parts(backup) if name in PARTS} == PARTS
    assert verify(backup).rows == 1
    assert backup.stat().st_mode & 0o077 == 0


def test_any_tar_program_can_open_it(backup):
    with tarfile.open(backup) as tar:
        assert tar.getnames() == ["parley-backup", *PARTS, MANIFEST, SEAL]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_f34_a_backup_that_is_cut_short_is_refused(backup, share):
    whole = backup.read_bytes().rstrip(b"\0")
    backup.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(BackupRefused):
        verify(backup)


def test_f34_one_flipped_bit_anywhere_is_found(backup):
    """It may pass only where it means nothing, like a time in a tar header."""
    whole = backup.read_bytes()
    expected = verify(backup)
    refused = 0
    for place in range(0, len(whole.rstrip(b"\0")), 17):
        damaged = bytearray(whole)
        damaged[place] ^= 4
        backup.write_bytes(damaged)
        try:
            assert verify(backup) == expected
        except BackupRefused:
            refused += 1
    assert refused > 50


def hostile(path, *members):
    """A tar that begins as ours does and then holds what an attacker put there."""
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for name, kind, content in [("parley-backup", tarfile.REGTYPE, b"1\n"), *members]:
            member = tarfile.TarInfo(name)
            member.type, member.size, member.linkname = kind, len(content), "/etc/passwd"
            tar.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../../etc/cron.d/evil", tarfile.REGTYPE),
        ("/etc/cron.d/evil", tarfile.REGTYPE),
        ("files/../../keys/secrets.key", tarfile.REGTYPE),
        ("files/..", tarfile.REGTYPE),
        ("files/" + "A" * 36, tarfile.REGTYPE),
        ("keys/../x.key", tarfile.REGTYPE),
        ("keys/.key", tarfile.REGTYPE),
        (FILE, tarfile.SYMTYPE),
        (FILE, tarfile.LNKTYPE),
        (FILE, tarfile.DIRTYPE),
        (FILE, tarfile.FIFOTYPE),
        (FILE, tarfile.CHRTYPE),
        ("postgres/pg_hba.conf", tarfile.REGTYPE),
        (f"{FILE}\n", tarfile.REGTYPE),
        (f"{FILE}/x", tarfile.REGTYPE),
    ],
)
def test_s40_names_and_kinds_that_are_not_ours_are_refused(tmp_path, name, kind):
    path = hostile(tmp_path / "evil.tar", (name, kind, b""))
    with pytest.raises(BackupRefused):
        verify(path)


def test_s40_a_part_that_the_manifest_does_not_name_is_refused(tmp_path):
    path = tmp_path / "lying.tar"
    with path.open("w+b") as file:
        writer = Writer(file, 0)
        manifest = manifest_of(writer, parts={})
        writer.add(DATABASE, [b"rows"])
        writer.close(manifest)
    with pytest.raises(BackupRefused, match=r"database\.dump is not what was backed up"):
        verify(path)


def test_s40_parts_twice_or_behind_the_end_are_refused(tmp_path):
    twice = (FILE, tarfile.REGTYPE, b"x")
    with pytest.raises(BackupRefused, match="twice"):
        verify(hostile(tmp_path / "twice.tar", twice, twice))
    text = manifest_of(Writer(io.BytesIO(), 0)).model_dump_json().encode()
    end = (MANIFEST, tarfile.REGTYPE, text)
    with pytest.raises(BackupRefused, match="behind the end"):
        verify(hostile(tmp_path / "late.tar", end, twice))


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b'{"format": 1}', b"\xff", b'{"parts": {"x": {"size": -1}}}']
)
def test_a_manifest_that_is_none_is_refused(tmp_path, text):
    seal = hashlib.sha256(text).hexdigest().encode()
    parts = (MANIFEST, tarfile.REGTYPE, text), (SEAL, tarfile.REGTYPE, seal)
    path = hostile(tmp_path / "odd.tar", *parts)
    with pytest.raises(BackupRefused, match="manifest"):
        verify(path)


@pytest.mark.parametrize("content", [b"", b"not a tar at all", b"\0" * 10240, os.urandom(4096)])
def test_other_files_are_no_backups(tmp_path, content):
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(BackupRefused):
        verify(path)
    with pytest.raises(BackupError, match="cannot be read"):
        verify(tmp_path / "missing")


def test_another_format_is_refused_by_its_number(tmp_path):
    path = tmp_path / "newer.tar"
    with tarfile.open(path, "w") as tar:
        member = tarfile.TarInfo("parley-backup")
        member.size = 2
        tar.addfile(member, io.BytesIO(b"9\n"))
    with pytest.raises(BackupRefused, match="this Parley can read"):
        verify(path)


def test_f34_nothing_is_left_of_a_backup_that_failed(tmp_path):
    def pieces():
        yield b"half"
        raise RuntimeError("the server went away")

    with (
        pytest.raises(RuntimeError),
        written_whole(tmp_path / "backup.tar", verify) as file,
    ):
        Writer(file, 0).add(DATABASE, pieces())
    assert list(tmp_path.iterdir()) == []


def test_a_backup_never_overwrites(backup):
    before = backup.read_bytes()
    with pytest.raises(BackupError, match="exists already"):
        write(backup)
    assert backup.read_bytes() == before


def test_memory_stays_flat(tmp_path):
    """300 MB through the archive; measured in a fresh state, bounds generous."""
    piece = os.urandom(archive.PIECE)
    process = psutil.Process()
    before = process.memory_info().rss
    with written_whole(tmp_path / "big.tar", verify) as file:
        writer = Writer(file, 0)
        writer.add(DATABASE, (piece for _ in range(300)))
        writer.close(manifest_of(writer))
    assert process.memory_info().rss - before < 60 * 2**20
