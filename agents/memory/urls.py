from django.urls import path

from agents.memory import views

app_name = "memory"
urlpatterns = [
    path("", views.page, name="page"),
    path("mode", views.mode, name="mode"),
    path("new", views.add, name="add"),
    path("shown", views.shown, name="shown"),
    path("forget", views.forget_all, name="forget_all"),
    path("<uuid:memory_id>", views.change, name="change"),
    path("<uuid:memory_id>/forget", views.forget, name="forget"),
]
