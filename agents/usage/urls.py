from django.urls import path

from agents.usage import cache_views, views

app_name = "usage"
urlpatterns = [
    path("", views.show_mine, name="mine"),
    path("teams/<uuid:team_id>/", views.show_team, name="team"),
    path("everyone/", views.show_everybody, name="all"),
    path("caches/", cache_views.show_caches, name="caches"),
    path("caches/flush", cache_views.flush, name="flush"),
]
