from django.urls import path

from agents.approvals import views

app_name = "approvals"
urlpatterns = [
    path("", views.inbox, name="inbox"),
    path("<uuid:approval_id>", views.card, name="card"),
    path("<uuid:approval_id>/decide", views.decide, name="decide"),
    path("permissions/<uuid:permission_id>/revoke", views.revoke, name="revoke"),
]
