from django.urls import path

from accounts import device_views, my_data_views, portrait_views, team_views, views

app_name = "accounts"
urlpatterns = [
    path("", views.profile, name="profile"),
    path("tokens/", views.list_tokens, name="tokens"),
    path("tokens/new", views.create_token, name="create_token"),
    path("tokens/<uuid:token_id>/revoke", views.revoke_token, name="revoke_token"),
    path("picture", portrait_views.change, name="change_portrait"),
    path("picture/remove", portrait_views.remove, name="remove_portrait"),
    path("people/<uuid:user_id>/picture", portrait_views.show, name="portrait"),
    path("language", views.choose_language, name="language"),
    path("teams/", team_views.show_teams, name="teams"),
    path("teams/<uuid:team_id>/members", team_views.add_member, name="add_member"),
    path(
        "teams/<uuid:team_id>/members/<uuid:user_id>",
        team_views.change_member,
        name="change_member",
    ),
    path("sessions/", device_views.list_sessions, name="sessions"),
    path("sessions/end", device_views.end_sessions, name="end_sessions"),
    path("sessions/<uuid:device_id>/end", device_views.end_session, name="end_session"),
    path("data/", my_data_views.my_data, name="my_data"),
    path("data/exports", my_data_views.list_takeouts, name="takeouts"),
    path("data/exports/new", my_data_views.new_takeout, name="new_takeout"),
    path(
        "data/exports/<uuid:takeout_id>/delete", my_data_views.remove_takeout, name="remove_takeout"
    ),
    path("data/leave", my_data_views.leave, name="leave"),
    path("data/keep", my_data_views.keep, name="keep"),
]
