"""Names on disks and in repositories as text that a database takes, and back without loss. Pure.

They are bytes, and need not be UTF-8: what is not is written as an escape. A backslash is doubled,
so that no two names are written alike.
"""


def storable(name: bytes) -> str:
    text = name.decode(errors="surrogateescape").replace("\\", "\\\\")
    return "".join(
        f"\\x{ord(sign) - 0xDC00:02x}" if "\udc80" <= sign <= "\udcff" else sign for sign in text
    )


def raw(stored: str) -> bytes:
    pieces, rest = bytearray(), stored
    while rest:
        before, mark, rest = rest.partition("\\")
        pieces += before.encode()
        if mark and rest.startswith("x"):
            pieces.append(int(rest[1:3], 16))
            rest = rest[3:]
        elif mark:
            pieces += b"\\"
            rest = rest[1:]
    return bytes(pieces)
