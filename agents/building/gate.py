"""What golden questions say of a draft before it is published.

A draft that changes how an agent searches or answers is compared with what members use, by a job,
where the collections of both have golden questions. Where nothing loses beyond noise it is
published at the end of that; else it waits until a person publishes it nevertheless, with a reason
that stands in the audit log, or keeps what is published.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from accounts.access import require_editable
from accounts.models import User
from agents.building.comparing import choose, collections_of, compare_contents, losses_in
from agents.building.content import Content, content_of
from agents.building.publishing import lock_agent, put_version, ready_draft
from agents.errors import AgentRefused
from agents.models import Agent, AgentVersion, Publication
from events import jobs
from events.context import JobContext
from knowledge.models import Collection, GoldenQuestion
from knowledge.quality.comparing import Change
from knowledge.quality.errors import ChangeHeld
from knowledge.quality.selectors import are_runs_told
from security import audit
from security.acts import Act

COMPARE = "agents.building.jobs.compare_versions"
State = Publication.State
# What else an agent says changes nothing of what these questions find or are answered.
MEASURED = (
    "instructions", "model_name", "reasoning_effort", "temperature", "decoding",
    "max_answer_tokens", "max_passages", "context_tokens", "understanding", "guardrails",
)  # fmt: skip
LABELS: dict[str, str | Promise] = {
    "hit": gettext_lazy("Found among what the model is shown"),
    "ndcg": gettext_lazy("Right passages high up"),
    "quiet": gettext_lazy("Nothing found where nothing is"),
    "cited": gettext_lazy("Answers that cite what was expected"),
    "supported": gettext_lazy("Supported sentences"),
}
NOT_ASKED = "not asked"
OVERTAKEN = gettext_noop("Another version was published meanwhile. Publish the draft again.")
NOT_ALLOWED = gettext_noop("Who began this may not change the agent any more.")


def submit(user: User, agent_id: UUID, revision: int, note: str = "") -> AgentVersion | Publication:
    """A version at once where no golden question says anything of the change; else what is
    compared now, and published by itself if nothing loses.

    Raises Http404, PermissionDenied, DraftChanged, Unpublishable, and ChangeHeld where this
    revision was compared and lost.
    """
    with transaction.atomic():
        agent = lock_agent(user, agent_id)
        known = _known(agent, revision)
        if known and known.state == State.ASKING:
            return known
        if known and known.state == State.HELD:
            raise ChangeHeld(_why(user, known))
        content = content_of(ready_draft(agent, revision))
        _let_go(agent)
        questions = questions_of(agent, content)
        if not questions:
            return put_version(agent, content, user, note)
        made: Publication = Publication.objects.create(
            agent=agent, by=user, revision=revision, basis=agent.version, content=content,
            note=note.strip(), figures={"collections": collections_of(questions)},
        )  # fmt: skip
        job = jobs.enqueue(COMPARE, {"publication_id": str(made.pk)}, user.pk, agent.pk)
        made.job_id = job.pk
        made.save(update_fields=["job_id"])
    return made


@transaction.atomic
def insist(user: User, agent_id: UUID, revision: int, reason: str, note: str = "") -> AgentVersion:
    """Publish it whatever golden questions say; what they said, or that they were not asked, and
    the reason stand in the audit log.

    Raises Http404, PermissionDenied, DraftChanged, Unpublishable, AgentRefused without a reason.
    """
    agent = lock_agent(user, agent_id)
    reason = " ".join(reason.split())
    if not reason:
        raise AgentRefused(
            _("Say why it is published nevertheless: the audit log keeps the reason.")
        )
    known = _known(agent, revision)
    content = known.content if known else content_of(ready_draft(agent, revision))
    losses = _recorded(known.figures) if known else []
    if losses or questions_of(agent, content):
        audit.record(
            Act.GATE_OVERRIDDEN, agent, by=user, title=agent.name, losses=losses or [NOT_ASKED],
            reason=reason,
        )  # fmt: skip
    _let_go(agent)
    return put_version(agent, content, user, note or (known.note if known else ""))


@transaction.atomic
def keep_old(user: User, agent_id: UUID) -> None:
    """Members go on with what is published; the draft stays. Raises Http404, PermissionDenied."""
    _let_go(lock_agent(user, agent_id))


def find_publication(user: User, agent_id: UUID) -> Publication | None:
    """The latest one, for who may edit the agent. Raises Http404, PermissionDenied."""
    agent = require_editable(Agent.objects, user, agent_id)
    found: Publication | None = Publication.objects.filter(agent=agent).first()
    return found


def questions_of(agent: Agent, content: Content) -> list[GoldenQuestion]:
    """Those of the collections that the published agent has and that this content has, too, if it
    says anything else that they would notice.

    Also of collections that an editor of the agent may not see, since its members may: editors
    are told what becomes of their draft, and nothing of these questions (`is_told`).
    """
    now = content_of(agent)
    if not agent.version or all(now[name] == content.get(name) for name in MEASURED):
        return []
    both = set(now["collections"]) & set(content["collections"])
    rows = GoldenQuestion.objects.counted().filter(collection__in=both)
    return choose(rows.select_related("collection__owner").prefetch_related("expected"))


def carry_out(context: JobContext, publication_id: UUID) -> None:
    """Compare, and publish or hold. Raises what search raises."""
    rows = Publication.objects.filter(pk=publication_id, state=State.ASKING)
    found = rows.select_related("agent", "by").first()
    if found is None:
        return
    agent, user = found.agent, found.by
    questions = questions_of(agent, found.content)
    contents = (content_of(agent), found.content)
    figures = compare_contents(
        user, agent, contents, questions,
        lambda done, total: context.progress("ask", 100 * done // total, 100),
    )  # fmt: skip
    _conclude(found, figures)


@transaction.atomic
def _conclude(waiting: Publication, figures: Mapping[str, Any]) -> None:
    try:
        agent = lock_agent(waiting.by, waiting.agent_id)
    except (Http404, PermissionDenied):
        fail(waiting.job_id, NOT_ALLOWED)
        return
    rows = Publication.objects.select_for_update(of=("self",)).filter(pk=waiting.pk)
    found = rows.filter(state=State.ASKING).first()
    if found is None:
        return
    if agent.version != found.basis:
        fail(found.job_id, OVERTAKEN)
        return
    found.figures, by = dict(figures), waiting.by
    if losses_in(figures):
        found.state = State.HELD
        losses = _recorded(figures)
        audit.record(Act.GATE_HELD, agent, by=by, title=agent.name, losses=losses)
    else:
        found.state = State.PUBLISHED
        found.number = put_version(agent, found.content, by, found.note).number
    found.save()


def fail(job_id: UUID | None, reason: str) -> None:
    """`reason` is an English source text."""
    rows = Publication.objects.filter(job_id=job_id, state=State.ASKING)
    rows.update(state=State.FAILED, reason=reason)


def is_told(user: User, figures: Mapping[str, Any]) -> bool:
    """Whether `user` may see all that the figures rest on."""
    ids = figures.get("collections", [])
    seen = Collection.objects.visible_to(user).filter(pk__in=ids).values_list("pk", flat=True)
    return len(seen) == len(ids) and all(are_runs_told(user, pk) for pk in seen)


def _why(user: User, held: Publication) -> str:
    if not is_told(user, held.figures):
        return _("The figures rest on collections that you may not see.")
    return _("Golden questions lose beyond noise: %s") % in_words(held.figures)


def in_words(figures: Mapping[str, Any]) -> str:
    """What loses, in one line."""
    said = _("%(what)s (%(delta)s, between %(low)s and %(high)s; %(n)d questions)")
    found = losses_in(figures)
    return "; ".join(
        said
        % {
            "what": LABELS[name], "n": change.n, "delta": _signed(change.delta),
            "low": _signed(change.low), "high": _signed(change.high),
        }
        for name, change in found.items()
    )  # fmt: skip


def _known(agent: Agent, revision: int) -> Publication | None:
    """What waits of this very draft, against this very version."""
    rows = Publication.objects.filter(agent=agent, revision=revision, basis=agent.version)
    found: Publication | None = rows.exclude(state=State.PUBLISHED).first()
    return found


def _let_go(agent: Agent) -> None:
    """In the caller's transaction, which has locked the agent."""
    found = Publication.objects.filter(agent=agent).first()
    if found is None:
        return
    if found.state == State.ASKING and found.job_id:
        transaction.on_commit(partial(jobs.request_cancel, found.job_id))
    found.delete()


def _recorded(figures: Mapping[str, Any]) -> list[str]:
    def told(name: str, change: Change) -> str:
        return f"{name} {change.delta:+.4f} [{change.low:+.4f}, {change.high:+.4f}] n={change.n}"

    return [told(name, change) for name, change in losses_in(figures).items()]


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + str(number_format(round(value, 3)))
