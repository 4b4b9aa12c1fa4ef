"""What of an answer a client could tell apart."""

import re
from typing import Any

from django.http import HttpResponse

# What differs with every request: its id, and the mask over the CSRF token.
OF_THE_REQUEST = {"x-request-id", "set-cookie", "date"}
CSRF = re.compile(r'(name="csrf-token" content|name="csrfmiddlewaretoken" value)="\w+"')
TOOK = re.compile(r"(took_ms[\"':\s]+|\b)[\d.]+(?= ?ms\b|,|})")


def readable(text: str) -> str:
    return CSRF.sub(r'\1=""', text)


def shape(response: HttpResponse) -> tuple[Any, ...]:
    """Status, headers and body."""
    headers = {
        name.lower(): value
        for name, value in response.headers.items()
        if name.lower() not in OF_THE_REQUEST
    }
    body = b"" if response.streaming else response.content
    return response.status_code, headers, readable(body.decode())
