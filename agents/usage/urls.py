from django.urls import path

from agents.usage import views

app_name = "usage"
urlpatterns = [
    path("", views.show_mine, name="mine"),
    path("teams/<uuid:team_id>/", views.show_team, name="team"),
    path("everyone/", views.show_everybody, name="all"),
]
