from django.urls import path

from agents.openai import catalogue, chat, completions, embeddings, rerank, unknown
from agents.openai.responses import view

app_name = "openai"
urlpatterns = [
    path("models", catalogue.list_models, name="models"),
    path("models/<path:model>", catalogue.retrieve_model, name="model"),
    path("chat/completions", chat.chat_completions, name="chat"),
    path("completions", completions.completions, name="completions"),
    path("responses", view.responses, name="responses"),
    path("embeddings", embeddings.embeddings, name="embeddings"),
    path("rerank", rerank.rerank, name="rerank"),
    path("<path:place>", unknown.nothing_here, name="unknown"),
]
