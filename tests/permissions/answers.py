"""What of an answer a client could tell apart."""

import re
from typing import Any

from django.http import HttpResponse

# What differs with every request: its id, its second, and the mask over the CSRF token.
OF_THE_REQUEST = {"x-request-id", "set-cookie", "date", "expires"}
CSRF = re.compile(r'(name="csrf-token" content|name="csrfmiddlewaretoken" value)="\w+"')


def readable(response: HttpResponse) -> str:
    """The body; error pages name the request's own id, as a reference."""
    body = b"" if response.streaming else response.content
    text = CSRF.sub(r'\1=""', body.decode())
    return text.replace(response.headers["X-Request-ID"], "…")


def shape(response: HttpResponse) -> tuple[Any, ...]:
    """Status, headers and body."""
    headers = {
        name.lower(): value
        for name, value in response.headers.items()
        if name.lower() not in OF_THE_REQUEST
    }
    return response.status_code, headers, readable(response)
