"""What of a backup must not come alive again by itself: sessions, and tokens revoked since.

People sign in again. API tokens are kept, for the programs that have them; a token that was revoked
after the backup was made stays revoked where the database that is replaced can still be asked.
"""

from contextlib import suppress

import psycopg

from config.operations.wording import number
from embedded.console import step

REVOKED = "select id, revoked_at from accounts_apitoken where revoked_at is not null"
REVOKE = "update accounts_apitoken set revoked_at = %s where id = %s and revoked_at is null"
VALID = (
    "select count(*) from accounts_apitoken where revoked_at is null "
    "and (expires_at is null or expires_at > now())"
)


def settle(scratch: str, current: str) -> None:
    """End the sessions in `scratch`, and revoke there what is revoked in `current`."""
    with step("Sign-ins") as shown, psycopg.connect(scratch, connect_timeout=5) as connection:
        ended = connection.execute("delete from django_session").rowcount
        connection.execute("delete from accounts_device")
        connection.execute("delete from accounts_takeout")  # their files are in no backup
        with connection.cursor() as cursor:
            cursor.executemany(REVOKE, [(at, pk) for pk, at in _revoked(current)])
        row = connection.execute(VALID).fetchone()
        valid = row[0] if row else 0
        shown.detail = (
            f"{number(ended, 'session')} ended: people sign in again; "
            f"{number(valid, 'API token')} valid as of the backup"
        )


def _revoked(url: str) -> list[tuple[object, object]]:
    """Nothing where there is no database yet, or one too old or broken to say."""
    with suppress(psycopg.Error), psycopg.connect(url, connect_timeout=5) as connection:
        return connection.execute(REVOKED).fetchall()
    return []
