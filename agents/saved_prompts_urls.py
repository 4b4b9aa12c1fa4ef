from django.urls import path

from agents import saved_prompts_views as views

app_name = "prompts"
urlpatterns = [path("", views.home, name="home")]
