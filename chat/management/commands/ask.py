import asyncio
import json
from typing import Any

import redis
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError
from django.http import Http404

from accounts.models import User
from chat.errors import ChatError
from chat.models import Citation, Message, Turn
from chat.services import start_turn, stop_turn
from chat.spoken import error_of, notice_of
from events.hub import Subscription, current_hub
from events.types import CannotReplay, EventRow
from knowledge.models import Collection
from observability.db import run_sync
from observability.heartbeats import seen

NOT_RUNNING = "Parley is not running here. Start it with `make up`, then ask again."

LOOK_SECONDS = 5.0  # of silence, after which the runner is looked for again


class Command(BaseCommand):
    help = (
        "Ask a question: the answer appears as it is written, then what it cites, with titles, "
        "pages and quotes. Parley must be running (`make up`); the conversation is kept."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("question", help="in any language")
        parser.add_argument(
            "--collection", action="append", metavar="NAME",
            help="search only this collection (repeatable; default: all you may see)",
        )  # fmt: skip
        parser.add_argument("--agent", metavar="SLUG", help="who answers (default: documents)")
        parser.add_argument(
            "--as", dest="email", metavar="EMAIL",
            help="act for this person (default: the first administrator)",
        )  # fmt: skip
        parser.add_argument(
            "--json", action="store_true", dest="as_json",
            help="print one JSON object instead: answer, citations, model, usage, turn_id",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if not seen("runner"):
                raise CommandError(NOT_RUNNING)
            user = _person(options["email"])
            turn = start_turn(
                user,
                None,
                options["question"],
                agent=options["agent"],
                collections=_collections(user, options["collection"]),
            )
        except (OperationalError, redis.RedisError):
            raise CommandError(NOT_RUNNING) from None
        except ChatError as error:
            raise CommandError(str(error)) from None
        except Http404:
            raise CommandError(f"There is no agent {options['agent']} for {user}.") from None
        asyncio.run(self._follow(user, turn, is_silent=options["as_json"]))
        self._conclude(turn, as_json=options["as_json"])

    async def _follow(self, user: User, turn: Turn, *, is_silent: bool) -> None:
        """Show the text as it comes; Ctrl-C stops the answer."""
        hub = current_hub()
        subscription = hub.subscribe(turn.pk)
        try:
            while rows := await self._next(subscription):
                for row in rows:
                    if row.kind == "text_delta" and not is_silent:
                        self.stdout.write(row.payload["text"], ending="")
                self.stdout.flush()
        except CannotReplay:
            raise CommandError("The conversation was deleted meanwhile.") from None
        except asyncio.CancelledError:
            await run_sync(stop_turn, user, turn.pk)
            raise
        finally:
            await hub.close()

    async def _next(self, subscription: Subscription) -> list[EventRow]:
        """Wait for events as long as there is somebody who could write them."""
        while True:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    return await subscription.batch()
            except TimeoutError:
                if not await asyncio.to_thread(seen, "runner"):
                    raise CommandError(NOT_RUNNING) from None

    def _conclude(self, turn: Turn, *, as_json: bool) -> None:
        turn.refresh_from_db()
        answer = Message.objects.get(pk=turn.answer_id)
        citations = list(answer.citations.order_by("n", "start"))
        if as_json:
            self.stdout.write(json.dumps(_as_object(turn, answer, citations), ensure_ascii=False))
        else:
            self.stdout.write("\n")
            for citation in citations:
                self.stdout.write(_line(citation))
            if notice := notice_of(answer):
                self.stdout.write(self.style.WARNING(notice))
        if turn.status != Turn.Status.COMPLETED:
            detail = (error_of(turn.error) or {}).get("detail", "")
            raise CommandError(f"The answer is not complete ({turn.status}). {detail}".strip())


def _person(email: str | None) -> User:
    people = User.objects.filter(is_active=True)
    if email is None:
        found = people.filter(is_superuser=True).order_by("pk").first()
        if found is None:
            raise CommandError("There is no administrator yet. Run `make up` first.")
        return found
    found = people.filter(email__iexact=email).first()
    if found is None:
        raise CommandError(f"There is no active person with the address {email}.")
    return found


def _collections(user: User, names: list[str] | None) -> list[Any] | None:
    if not names:
        return None
    visible = Collection.objects.visible_to(user)
    found = []
    for name in names:
        ids = list(visible.filter(name__iexact=name).values_list("pk", flat=True))
        if not ids:
            known = ", ".join(visible.order_by("name").values_list("name", flat=True)[:20])
            raise CommandError(f"There is no collection “{name}”. You may see: {known or 'none'}.")
        found += ids
    return found


def _line(citation: Citation) -> str:
    page = f", page {citation.page}" if citation.page else ""
    page += ", lines {}-{}".format(*citation.lines) if citation.lines else ""
    quote = " ".join(citation.quote.split())
    return f"[{citation.n}] {citation.title}{page}: “{quote}”"


def _as_object(turn: Turn, answer: Message, citations: list[Citation]) -> dict[str, Any]:
    return {
        "answer": answer.text,
        "citations": [
            {
                "n": citation.n,
                "document_id": str(citation.document_id),
                "chunk_id": str(citation.chunk_id),
                "title": citation.title,
                "quote": citation.quote,
                "start": citation.start,
                "end": citation.end,
                "page": citation.page,
                "lines": citation.lines,
                "method": citation.method,
                "score": citation.score,
                "is_proposed": citation.is_proposed,
            }
            for citation in citations
        ],
        "model": answer.model_name,
        "usage": answer.usage,
        "turn_id": str(turn.pk),
        "status": turn.status,
    }
