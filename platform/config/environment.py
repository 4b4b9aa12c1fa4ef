"""Reading the environment strictly: a malformed value stops the start and says its name."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any
from urllib.parse import urlsplit

import environ
import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

from security.rates import Rate, parse_rates

TRUE = {"true", "yes", "on", "1"}
FALSE = {"false", "no", "off", "0", ""}
NEVER_BY_ITSELF = 2**31
POSTGRES_SCHEMES = ("postgres://", "postgresql://")


class StrictEnv(environ.Env):  # type: ignore[misc]
    """`environ.Env`, but nothing unreadable passes for a default."""

    def get_value(self, var: str, cast: Any = None, *args: Any, **options: Any) -> Any:
        try:
            return super().get_value(var, cast, *args, **options)
        except ValueError as problem:
            given = self.ENVIRON.get(var, "")
            raise ImproperlyConfigured(f"{var} cannot be `{given}`: {problem}.") from problem

    def bool(self, var: str, default: bool = False) -> bool:
        given = self.str(var, default="true" if default else "false").strip().lower()
        if given not in TRUE | FALSE:
            raise ImproperlyConfigured(f"{var} is either `true` or `false`, not `{given}`.")
        return given in TRUE

    def rates(self, var: str, default: str) -> tuple[Rate, ...]:
        """Rate limits: `120/m/person,1200/10m/address`, or `off`."""
        given: str = self.str(var, default="").strip() or default
        try:
            return parse_rates(given)
        except ValueError as problem:
            raise ImproperlyConfigured(f"{var} cannot be `{given}`: {problem}.") from problem

    def postgres_url(self, var: str, default: str) -> str:
        """An address of Postgres; never repeated in the error, since it may hold a password."""
        address: str = self.str(var, default="") or default
        if not address.startswith(POSTGRES_SCHEMES) or not _is_readable(address):
            raise ImproperlyConfigured(
                f"{var} is not a Postgres address. "
                "It looks like postgresql://user:password@host:5432/parley"
            )
        return address

    def networks(self, var: str) -> tuple[IPv4Network | IPv6Network, ...]:
        """Addresses and networks, with commas: `10.0.0.0/8,192.168.1.20`."""
        given: list[str] = self.list(var, default=[])
        try:
            return tuple(ip_network(name.strip()) for name in given)
        except ValueError as problem:
            raise ImproperlyConfigured(f"{var} cannot be read: {problem}.") from problem

    def origin(self, var: str) -> str:
        """A site's own address as browsers write its origin, without a slash; "" if not set."""
        given: str = self.str(var, default="").strip()
        parts = urlsplit(given)
        is_site = parts.scheme in {"http", "https"} and parts.hostname and parts.path in {"", "/"}
        if given and (not is_site or parts.query or parts.fragment or parts.username):
            raise ImproperlyConfigured(
                f"{var} cannot be `{given}`. It looks like https://parley.example.org"
            )
        return f"{parts.scheme}://{parts.netloc.lower()}" if given else ""


def _is_readable(address: str) -> bool:
    try:
        conninfo_to_dict(address)
    except psycopg.ProgrammingError:
        return False
    return True


def database(address: str, pool_size: int, *, prepares: bool = True) -> dict[str, Any]:
    """Django's settings for a Postgres address, read by Postgres' own rules.

    So everything libpq understands works: `?sslmode=require`, `?host=/socket/folder` …
    """
    parts = conninfo_to_dict(address)
    return {
        "ENGINE": "observability.postgres",
        "NAME": parts.pop("dbname", "parley"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": str(parts.pop("port", "")),
        "CONN_MAX_AGE": 0,  # the pool keeps connections, not Django
        "CONN_HEALTH_CHECKS": True,  # it hands out none that a restart of Postgres has cut
        "OPTIONS": {
            "connect_timeout": 5,
            **parts,
            # Only what asks for it (observability.postgres.prepared), and nothing by its count.
            "prepare_threshold": NEVER_BY_ITSELF if prepares else None,
            # Its pauses between attempts to connect double: after 2 s it begins anew.
            "pool": {"min_size": 0, "max_size": pool_size, "timeout": 10, "reconnect_timeout": 2},
        },
    }
