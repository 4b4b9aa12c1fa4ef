from django.urls import path

from agents import views
from agents.building import views as building

app_name = "agents"
urlpatterns = [
    path("", views.home, name="home"),
    path("pictures/<uuid:picture_id>", building.picture, name="picture"),
    path("<uuid:agent_id>/", building.builder, name="builder"),
    path("<uuid:agent_id>/publication/", building.publication, name="publication"),
    path("<uuid:agent_id>/versions/", building.versions, name="versions"),
    path("<uuid:agent_id>/access/", building.access, name="access"),
    path("<uuid:agent_id>/access/<uuid:grant_id>/revoke", building.revoke, name="revoke"),
]
