"""The settings page of teams; owners say who is in theirs."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts import teams
from accounts.callers import caller
from accounts.errors import TeamRefused
from accounts.forms import MemberForm
from accounts.models import Membership
from accounts.selectors import list_teams


@require_GET
@login_required
def show_teams(request: HttpRequest) -> HttpResponse:
    return _page(request, "accounts/teams.html")


@require_POST
@login_required
def add_member(request: HttpRequest, team_id: UUID) -> HttpResponse:
    form = MemberForm(request.POST)
    try:
        if form.is_valid():
            data = form.cleaned_data
            teams.add_member(caller(request), team_id, data["email"], data["role"])
            form = MemberForm()
    except TeamRefused as error:
        form.add_error("email", str(error))
    return _page(request, "accounts/_teams.html", team_id=team_id, form=form)


@require_POST
@login_required
def change_member(request: HttpRequest, team_id: UUID, user_id: UUID) -> HttpResponse:
    """`role`: another one, or empty to take them out of the team."""
    user, role = caller(request), request.POST.get("role", "")
    problem = ""
    try:
        if role in Membership.Role.values:
            teams.change_role(user, team_id, user_id, role)
        elif not role:
            teams.remove_member(user, team_id, user_id)
        else:
            problem = _("Choose one of the roles %s.") % ", ".join(Membership.Role.values)
    except TeamRefused as error:
        problem = str(error)
    return _page(request, "accounts/_teams.html", team_id=team_id, problem=problem)


def _page(
    request: HttpRequest,
    template: str,
    *,
    team_id: UUID | None = None,
    form: MemberForm | None = None,
    problem: str = "",
) -> HttpResponse:
    """`form` and `problem` are of this team."""
    shown = list_teams(caller(request))
    for team in shown:
        is_it = team.pk == team_id
        team.form = form if is_it and form else MemberForm(auto_id=f"{team.pk}_%s")  # type: ignore[attr-defined]
        team.problem = problem if is_it else ""  # type: ignore[attr-defined]
        people = team.people  # type: ignore[attr-defined]
        mine = [member.role for member in people if member.user_id == request.user.pk]
        team.is_mine = Membership.Role.OWNER in mine  # type: ignore[attr-defined]
    return render(request, template, {"teams": shown, "roles": Membership.Role.choices})
