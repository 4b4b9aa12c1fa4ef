"""The settings pages: profile, language and theme, teams, API tokens."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import services, tokens
from accounts.callers import caller
from accounts.forms import SCOPE_LABELS, PreferencesForm, TokenForm
from accounts.limits import spend_for
from accounts.mcp_programs import programs_for
from accounts.models import User
from security.rate_limits import Action

A_YEAR = 365 * 24 * 3600


@require_http_methods(["GET", "POST"])
@login_required
def profile(request: HttpRequest) -> HttpResponse:
    """Name, language and theme; cookies keep the last two for the pages before signing in."""
    user = caller(request)
    form = PreferencesForm(request.POST or None, instance=User.objects.get(pk=user.pk))
    if request.method == "GET" or not form.is_valid():
        return render(request, "accounts/profile.html", {"form": form})
    chosen = form.cleaned_data
    services.change_preferences(user, **chosen)
    with translation.override(chosen["language"] or translation.get_language_from_request(request)):
        messages.success(request, _("Saved."))
    response = redirect("accounts:profile")
    _remember(response, settings.THEME_COOKIE_NAME, chosen["theme"])
    if chosen["language"]:
        _remember(response, settings.LANGUAGE_COOKIE_NAME, chosen["language"])
    else:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
    return response


@require_GET
@login_required
def list_tokens(request: HttpRequest) -> HttpResponse:
    address = str(settings.PARLEY_URL or request.build_absolute_uri("/")).rstrip("/") + "/mcp"
    connecting = {"mcp_address": address, "mcp_programs": programs_for(address)}
    return render(request, "accounts/tokens.html", _token_context(request, **connecting))


@require_POST
@never_cache
@login_required
def create_token(request: HttpRequest) -> HttpResponse:
    """Makes a token and answers the list with its plain text in it, this once."""
    user = caller(request)
    form = TokenForm(user, request.POST)
    if not form.is_valid():
        return render(request, "accounts/_tokens.html", _token_context(request, form=form))
    spend_for(request, Action.TOKENS)
    data = form.cleaned_data
    token, plaintext = tokens.issue(user, data["name"], data["scopes"], form.expires_at())
    context = _token_context(request, created=token, plaintext=plaintext)
    return render(request, "accounts/_tokens.html", context)


@require_POST
@login_required
def revoke_token(request: HttpRequest, token_id: UUID) -> HttpResponse:
    token = get_object_or_404(caller(request).api_tokens, pk=token_id)
    tokens.revoke(token)
    return render(request, "accounts/_tokens.html", _token_context(request))


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Switches the language for this browser, and for the person when signed in."""
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        return redirect("account_login")
    if isinstance(request.user, User):
        user = request.user
        services.set_preferences(user, name=user.name, language=language, theme=user.theme)
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    response = redirect(target if is_ours else "/")
    _remember(response, settings.LANGUAGE_COOKIE_NAME, language)
    return response


def _token_context(request: HttpRequest, **more: Any) -> dict[str, Any]:
    user = caller(request)
    shown = list(user.api_tokens.filter(revoked_at=None))
    for token in shown:
        token.is_over = token.expires_at is not None and token.expires_at <= timezone.now()  # type: ignore[attr-defined]
        token.rights = [SCOPE_LABELS[tokens.Scope(scope)] for scope in token.scopes]  # type: ignore[attr-defined]
    return {"tokens": shown, "form": TokenForm(user), **more}


def _remember(response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(
        name, value, max_age=A_YEAR, samesite="Lax", secure=settings.SECURE, httponly=True
    )
