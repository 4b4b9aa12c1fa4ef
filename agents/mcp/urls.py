from django.urls import path

from agents.mcp import view
from agents.mcp.door import METADATA

app_name = "mcp"
urlpatterns = [
    path("mcp", view.mcp, name="mcp"),
    path(METADATA.removeprefix("/"), view.metadata, name="metadata"),
]
