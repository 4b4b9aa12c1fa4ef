"""Frames that a socket writes itself: what RFC 6455 says, for each form of the length."""

import struct

import pytest

from embedded.limited_socket import frame_head


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000])
def test_the_head_tells_the_length_in_its_shortest_form(size):
    head = frame_head(size, is_binary=False)
    assert head[0] == 0x81  # a whole text message
    assert head[1] < 128  # a server masks nothing
    if size < 126:
        assert (head[1], len(head)) == (size, 2)
    elif size < 65_536:
        assert head[1:] == b"\x7e" + struct.pack(">H", size)
    else:
        assert head[1:] == b"\x7f" + struct.pack(">Q", size)


def test_bytes_are_told_from_text():
    assert frame_head(5, is_binary=True)[0] == 0x82
