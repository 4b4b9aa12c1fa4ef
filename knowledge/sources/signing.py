"""AWS Signature Version 4 for requests without a body. Pure.

As S3 wants it (docs.aws.amazon.com, "Authenticating Requests: Using the Authorization Header"): the
path is encoded once, and the hash of the body is a header of its own.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY = hashlib.sha256(b"").hexdigest()
UNRESERVED = "-_.~"


@dataclass(frozen=True, slots=True)
class Credentials:
    access_key: str
    secret_key: str
    region: str


def encode_path(path: str) -> str:
    """Of the path every sign but slashes, as it is both signed and sent."""
    return quote(path, safe=UNRESERVED + "/")


def encode_query(query: Mapping[str, str]) -> str:
    """In the order in which it is signed."""
    pairs = sorted((quote(name, safe=UNRESERVED), quote(value, safe=UNRESERVED))
                   for name, value in query.items())  # fmt: skip
    return "&".join(f"{name}={value}" for name, value in pairs)


def sign(
    credentials: Credentials, host: str, path: str, query: str, now: datetime
) -> dict[str, str]:
    """The headers of a GET of this encoded path and query; `now` is in UTC."""
    at, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    signed = {"host": host, "x-amz-content-sha256": EMPTY, "x-amz-date": at}
    names = ";".join(signed)
    lines = "".join(f"{name}:{value}\n" for name, value in signed.items())
    request = f"GET\n{path}\n{query}\n{lines}\n{names}\n{EMPTY}"
    scope = f"{day}/{credentials.region}/s3/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{credentials.secret_key}".encode()
    for part in (day, credentials.region, "s3", "aws4_request"):
        key = _mac(key, part)
    signature = _mac(key, f"{ALGORITHM}\n{at}\n{scope}\n{digest}").hex()
    proof = f"Credential={credentials.access_key}/{scope}, SignedHeaders={names}"
    return {
        "x-amz-date": at,
        "x-amz-content-sha256": EMPTY,
        "Authorization": f"{ALGORITHM} {proof}, Signature={signature}",
    }


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
