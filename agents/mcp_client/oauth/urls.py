from django.urls import path

from agents.mcp_client.oauth import views

app_name = "connections"
urlpatterns = [
    path("", views.page, name="page"),
    path("back", views.back, name="back"),
    path("<uuid:server_id>/connect", views.connect, name="connect"),
    path("<uuid:server_id>/disconnect", views.disconnect, name="disconnect"),
]
