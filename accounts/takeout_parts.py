"""What of an export is about the account itself."""

from collections.abc import Iterator
from zipfile import ZipFile

import orjson

from accounts import devices, selectors
from accounts.models import User


def write_account(user: User, archive: ZipFile) -> Iterator[int]:
    """`account.json`: who they are, their teams, tokens (never the secrets) and browsers."""
    yield 1
    told = {
        "email": user.email,
        "name": user.name,
        "joined": user.date_joined,
        "settings": {
            "language": user.language,
            "theme": user.theme,
            "time_zone": user.time_zone,
            "has_key_shortcuts": user.has_key_shortcuts,
            "marks_unsupported": user.marks_unsupported,
            "memory": user.memory,
        },
        "teams": [
            {"name": membership.team.name, "role": membership.role}
            for membership in selectors.list_memberships(user)
        ],
        "api_tokens": list(
            user.api_tokens.values(
                "name", "prefix", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at"
            )
        ),
        "browsers": [
            {
                "browser": found.browser,
                "system": found.system,
                "address": found.device.address,
                "signed_in": found.device.created_at,
                "last_seen": found.device.seen_at,
            }
            for found in devices.list_devices(user)
        ],
    }
    archive.writestr("account.json", orjson.dumps(told, option=orjson.OPT_INDENT_2))
    yield 1
