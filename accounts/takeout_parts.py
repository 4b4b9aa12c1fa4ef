"""What of an export is about the account itself."""

from collections.abc import Iterator
from zipfile import ZipFile

import orjson

from accounts import devices, selectors
from accounts.models import Portrait, User
from security.models import AuditEntry


def write_account(user: User, archive: ZipFile) -> Iterator[int]:
    """`account.json`: who they are, their teams, tokens (never the secrets), browsers and what was
    shared with them by name; `portrait.jpg`; `activity.jsonl`: what the audit log says they did."""
    yield 2
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
            "default_agent": user.default_agent,
            "has_first_steps": user.has_first_steps,
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
        "access": list(user.grants.values("kind", "object_id", "role", "created_at")),
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
    if portrait := Portrait.objects.filter(user=user).first():
        archive.writestr("portrait.jpg", bytes(portrait.data))
    yield 1
    acts = AuditEntry.objects.filter(actor_id=user.pk).order_by("pk")
    done = acts.values("at", "act", "kind", "object_id", "title", "address")
    with archive.open("activity.jsonl", "w", force_zip64=True) as lines:
        for act in done.iterator(chunk_size=1000):
            lines.write(orjson.dumps(act) + b"\n")
    yield 1
