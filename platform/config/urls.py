from django.contrib import admin
from django.urls import include, path

from config import installable
from config.api import api
from observability import views as observability
from security.csp_reports import count_violations

handler400 = "config.error_pages.bad_request"
handler403 = "config.error_pages.permission_denied"
handler404 = "config.error_pages.page_not_found"
handler500 = "config.unavailable.answer_error"
urlpatterns = [
    path("", include("chat.urls")),
    path("knowledge/", include("knowledge.urls")),
    path("agents/", include("agents.urls")),
    path("prompts/", include("agents.saved_prompts_urls")),
    path("settings/approvals/", include("agents.approvals.urls")),
    path("settings/memory/", include("agents.memory.urls")),
    path("settings/connections/", include("agents.mcp_client.oauth.urls")),
    path("settings/chat/", include("agents.chat_settings")),
    path("settings/usage/", include("agents.usage.urls")),
    path("settings/", include("accounts.urls")),
    path("accounts/", include("accounts.sign_in_urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    path("v1/", include("agents.openai.urls")),
    path("", include("agents.mcp.urls")),
    path("manifest/<slug:language>.webmanifest", installable.manifest, name="manifest"),
    path("service-worker.js", installable.service_worker),
    path("offline/<slug:language>", installable.offline),
    path("csp-report", count_violations),
    path("health", observability.health),
    path("ready", observability.ready),
    path("metrics", observability.metrics),
]
