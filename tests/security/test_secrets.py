import pytest
from django.core.exceptions import ImproperlyConfigured

from security.secrets import SecretUnreadable, hint, is_current, open_, seal

KEY_A, KEY_B = "a" * 40, "b" * 40
SECRET = "sk-1234567890abcdef-WXYZ"


@pytest.fixture
def keys(settings):
    def use(*words):
        settings.PARLEY_SECRET_KEYS = list(words)

    use(KEY_A)
    return use


def test_s17_opens_in_its_own_row_only(keys):
    sealed = seal(SECRET, "endpoint:1")
    assert open_(sealed, "endpoint:1") == SECRET
    with pytest.raises(SecretUnreadable):
        open_(sealed, "endpoint:2")


def test_s17_any_flipped_byte_fails_closed(keys):
    sealed = seal(SECRET, "endpoint:1")
    for position in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[position] ^= 1
        with pytest.raises(SecretUnreadable):
            open_(bytes(damaged), "endpoint:1")


@pytest.mark.parametrize("length", [0, 1, 16, 17, 30])
def test_a_cut_secret_fails_closed(keys, length):
    with pytest.raises(SecretUnreadable):
        open_(seal(SECRET, "x")[:length], "x")


def test_s20_the_plaintext_is_not_in_the_sealed_bytes_and_two_seals_differ(keys):
    first, second = seal(SECRET, "x"), seal(SECRET, "x")
    assert SECRET.encode() not in first
    assert first != second


def test_s18_rotation_opens_with_every_key_and_seals_with_the_first(keys):
    old = seal(SECRET, "x")
    keys(KEY_B, KEY_A)
    assert open_(old, "x") == SECRET
    assert not is_current(old)
    new = seal(SECRET, "x")
    assert is_current(new)
    keys(KEY_B)
    assert open_(new, "x") == SECRET
    with pytest.raises(SecretUnreadable):
        open_(old, "x")


def test_the_key_file_is_made_once_for_its_owner_only(settings, tmp_path):
    settings.PARLEY_SECRET_KEYS = []
    settings.PARLEY_HOME = type(settings.PARLEY_HOME)(tmp_path)
    sealed = seal(SECRET, "x")
    path = tmp_path / "keys" / "secrets.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert open_(sealed, "x") == SECRET
    # Moving to the environment is a rotation: the file still opens what it sealed.
    settings.PARLEY_SECRET_KEYS = [KEY_A]
    assert open_(sealed, "x") == SECRET
    assert not is_current(sealed)


def test_a_short_key_stops_the_start(settings, tmp_path):
    settings.PARLEY_HOME = type(settings.PARLEY_HOME)(tmp_path)
    settings.PARLEY_SECRET_KEYS = ["short"]
    with pytest.raises(ImproperlyConfigured, match="PARLEY_SECRET_KEYS"):
        seal(SECRET, "x")


@pytest.mark.parametrize(
    ("secret", "shown"),
    [(SECRET, "…WXYZ"), ("sk-tiny", "…"), ("", ""), ("0123456789abcdef", "…cdef")],
)
def test_s19_only_the_last_four_characters_of_a_long_secret_are_shown(secret, shown):
    assert hint(secret) == shown
