from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("", views.profile, name="profile"),
    path("tokens/", views.list_tokens, name="tokens"),
    path("tokens/new", views.create_token, name="create_token"),
    path("tokens/<uuid:token_id>/revoke", views.revoke_token, name="revoke_token"),
    path("language", views.choose_language, name="language"),
]
