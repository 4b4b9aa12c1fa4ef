"""Addresses of OpenAI's that Parley does not have: said plainly, with what is here instead."""

from django.http import HttpRequest, HttpResponse

from agents.openai.callers import endpoint
from agents.openai.errors import ApiError

REASONS = {
    "responses": "Responses are not stored here: send the conversation with each request.",
    "conversations": "Conversations are read at /api/v1/conversations.",
    "assistants": "Agents are made in Parley and asked by name as a model.",
    "threads": "Agents are asked by name as a model of /v1/chat/completions.",
    "files": "Documents are uploaded at /api/v1/collections/{id}/documents.",
    "vector_stores": "Collections are at /api/v1/collections, searches at /api/v1/search.",
}


@endpoint("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
async def nothing_here(request: HttpRequest, place: str) -> HttpResponse:
    reason = REASONS.get(place.split("/", 1)[0], "See docs/openai.md for what is here.")
    message = f"Unknown request URL: {request.method} {request.path}. {reason}"
    raise ApiError(404, message[:500], code="unknown_url")
