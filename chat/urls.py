from django.urls import path

from chat import views

app_name = "chat"
urlpatterns = [
    path("", views.new_chat, name="new"),
    path("c/<uuid:conversation_id>", views.conversation, name="conversation"),
    path("c/<uuid:conversation_id>/thread", views.thread, name="thread"),
    path("conversations/", views.history, name="history"),
    path("passages/<uuid:document_id>", views.passage, name="passage"),
    path("jsi18n/<slug:language>/", views.javascript_catalog, name="jsi18n"),
]
