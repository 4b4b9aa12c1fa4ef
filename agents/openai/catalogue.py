"""What a model name means to the person who calls: a model of the gateway, or an agent's slug.

An agent they may not see reads like a name that nothing has. Where both have the name, it is the
model's. The embedded embedder is there without any endpoint, for embeddings and for reranking.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse, JsonResponse

from accounts.models import User
from accounts.tokens import Scope
from agents.models import Agent
from agents.openai.callers import Body, admit, endpoint, in_thread
from agents.openai.demands import demands_on
from agents.openai.errors import invalid, no_such_model
from agents.selectors import agent_spec
from agents.types import AgentSpec
from gateway.catalogue import list_chat_models
from gateway.embedding.local import LOCAL_NAME
from gateway.labels import Demand
from gateway.models import Model
from security.text import storable

Kind = Literal["chat", "agent", "embedding", "rerank"]
LISTED = (Scope.READ, Scope.CHAT)


@dataclass(frozen=True, slots=True)
class ChatModel:
    """Who answers a chat: a model of the gateway, unless there is an agent; what is demanded of
    the endpoint that is asked."""

    name: str
    demands: tuple[Demand, ...] = ()
    agent: AgentSpec | None = None


def name_of(body: Body) -> str:
    name = body.get("model")
    if not isinstance(name, str) or not name:
        raise invalid("you must provide a model parameter", "model", "missing_required_parameter")
    return storable(name)[:200]


def find_chat_model(user: User, name: str) -> ChatModel:
    """Who answers to this name for this person; raises ApiError, 404."""
    if list_chat_models().filter(name=name).order_by().exists():
        return ChatModel(name, demands_on(user))
    agent = Agent.objects.visible_to(user).filter(slug=name).first()
    if agent is None:
        raise no_such_model(name)
    return ChatModel(name, demands_on(user, agent), agent_spec(agent))


@endpoint("GET", "HEAD")
async def list_models(request: HttpRequest) -> HttpResponse:
    """Everything that this person may name, chat models first."""
    call = await admit(request, None, *LISTED)
    data = await in_thread(lambda: list(_entries(call.user)))
    return JsonResponse({"object": "list", "data": data})


@endpoint("GET", "HEAD")
async def retrieve_model(request: HttpRequest, model: str) -> HttpResponse:
    call = await admit(request, None, *LISTED)
    entries = await in_thread(lambda: list(_entries(call.user)))
    found = next((entry for entry in entries if entry["id"] == model), None)
    if found is None:
        raise no_such_model(model)
    return JsonResponse(found)


def _entries(user: User) -> Iterator[dict[str, Any]]:
    taken = {LOCAL_NAME}
    for model in list_chat_models():
        taken.add(model.name)
        yield _entry(model.name, "chat", model.created_at, context_length=model.context_length)
    for agent in Agent.objects.visible_to(user):
        if agent.slug not in taken:
            taken.add(agent.slug)
            more = {"name": agent.name, "description": agent.description}
            yield _entry(agent.slug, "agent", agent.created_at, **more)
    yield _entry(LOCAL_NAME, "embedding")
    served = Model.objects.filter(
        kind__in=(Model.Kind.EMBEDDING, Model.Kind.RERANK),
        deployments__is_enabled=True,
        deployments__endpoint__is_enabled=True,
    )
    for model in served.distinct():
        if model.name not in taken:
            yield _entry(model.name, "embedding" if model.kind == "embedding" else "rerank",
                         model.created_at)  # fmt: skip


def _entry(
    model: str, kind: Kind, created: datetime | None = None, /, **more: Any
) -> dict[str, Any]:
    """As OpenAI lists a model; what is more than that says what the name stands for."""
    at = int(created.timestamp()) if created else 0
    return {
        "id": model,
        "object": "model",
        "created": at,
        "owned_by": "parley",
        "kind": kind,
    } | more
