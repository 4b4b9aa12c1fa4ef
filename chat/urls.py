from django.urls import path

from chat import diagrams, trying, views
from chat.answers import golden_views
from chat.imports import views as imports_views
from chat.proof import views as proof_views
from chat.retention import temporary_views
from chat.sharing import shared_views
from chat.sharing import views as sharing_views
from chat.why import views as why_views

app_name = "chat"
urlpatterns = [
    path("", views.new_chat, name="new"),
    path("c/<uuid:conversation_id>", views.conversation, name="conversation"),
    path("c/<uuid:conversation_id>/thread", views.thread, name="thread"),
    path("c/<uuid:conversation_id>/visits", temporary_views.visit, name="visit"),
    path("c/<uuid:conversation_id>/sharing", sharing_views.show, name="sharing"),
    path("c/<uuid:conversation_id>/sharing/people", sharing_views.give, name="share"),
    path(
        "c/<uuid:conversation_id>/sharing/people/<uuid:access_id>/remove",
        sharing_views.take,
        name="unshare",
    ),
    path("c/<uuid:conversation_id>/sharing/links", sharing_views.make_link, name="make_link"),
    path("links/<uuid:link_id>/update", sharing_views.update_link, name="update_link"),
    path("links/<uuid:link_id>/revoke", sharing_views.revoke_link, name="revoke_link"),
    path("settings/proof/", proof_views.show_mine, name="proof"),
    path("settings/proof/everyone/", proof_views.show_everybody, name="proof_everyone"),
    path("settings/links/", sharing_views.list_links, name="links"),
    path("settings/import/", imports_views.home, name="imports"),
    path("settings/import/list", imports_views.listed, name="imports_list"),
    path("settings/import/<uuid:import_id>/start", imports_views.start, name="start_import"),
    path("settings/import/<uuid:import_id>/discard", imports_views.discard, name="discard_import"),
    path("s/<str:token>", shared_views.shared, name="shared"),
    path("s/<str:token>/continue", shared_views.continue_here, name="continue_shared"),
    path("conversations/", views.history, name="history"),
    path("conversations/filters", views.history_filters, name="history_filters"),
    path("why/<uuid:message_id>", why_views.why, name="why"),
    path("why/<uuid:message_id>/golden", golden_views.keep, name="keep_golden"),
    path("passages/<uuid:document_id>", views.passage, name="passage"),
    path("agents/<uuid:agent_id>/try/", trying.try_agent, name="try_agent"),
    path("diagram-frame", diagrams.frame, name="diagram_frame"),
    path("jsi18n/<slug:language>/", views.javascript_catalog, name="jsi18n"),
]
