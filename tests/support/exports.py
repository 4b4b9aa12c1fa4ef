"""Exports of other products in the shapes that they have, small enough to read."""

import io
import json
import zipfile
from typing import Any

CHATGPT_ID = "67a1c0de-7b1c-8003-9d4e-2f6a8b1c3d5e"
CLAUDE_ID = "0b9d3c1a-5f2e-4e7b-8a64-d1c2b3a4f5e6"


def chatgpt_message(
    role: str, parts: list[Any] | None = None, *, at: float | None = 1_738_656_000.25, **more: Any
) -> dict[str, Any]:
    return {
        "id": "m",
        "author": {"role": role, "name": None, "metadata": {}},
        "create_time": at,
        "update_time": None,
        "content": {"content_type": "text", "parts": parts or []},
        "status": "finished_successfully",
        "end_turn": True,
        "weight": 1.0,
        "metadata": {"model_slug": "gpt-4o"} if role == "assistant" else {},
        "recipient": "all",
        "channel": None,
        **more,
    }


def chatgpt_node(own: str, parent: str | None, children: list[str], message: Any) -> dict[str, Any]:
    if message is not None:
        message = message | {"id": own}
    return {"id": own, "message": message, "parent": parent, "children": children}


def chatgpt_conversation(external_id: str = CHATGPT_ID, title: str = "Trains to Munich") -> Any:
    """A root without a message, rules, a question, a tool between two pieces of the answer, then a
    question in two versions of which the second was shown."""
    say = chatgpt_message
    nodes = [
        chatgpt_node("root", None, ["rules"], None),
        chatgpt_node("rules", "root", ["q1"], say("system", [""], weight=0.0)),
        chatgpt_node("q1", "rules", ["think"], say("user", ["Which train goes to Munich?"])),
        chatgpt_node("think", "q1", ["look"], say(
            "assistant", content={
                "content_type": "thoughts", "source_analysis_msg_id": "x",
                "thoughts": [{"summary": "Timetables", "content": "Look at the timetable."}],
            })),
        chatgpt_node("look", "think", ["call"], say("assistant", ["Let me look."])),
        chatgpt_node("call", "look", ["result"], say(
            "assistant", recipient="browser",
            content={"content_type": "code", "language": "unknown", "text": "search('trains')"})),
        chatgpt_node("result", "call", ["a1"], say(
            "tool", content={"content_type": "tether_quote", "text": "TOOL SECRET"})),
        chatgpt_node("a1", "result", ["q2", "q2b"], say(
            "assistant", ["The ICE 599 \ue200cite\ue202turn0search1\ue201 at **10:28**."])),
        chatgpt_node("q2", "a1", ["a2"], say("user", ["And back?"])),
        chatgpt_node("a2", "q2", [], say("assistant", ["The ICE 598."])),
        chatgpt_node("q2b", "a1", ["a2b"], say("user", content={
            "content_type": "multimodal_text",
            "parts": [
                {"content_type": "image_asset_pointer", "asset_pointer": "file-service://x",
                 "size_bytes": 1, "width": 1, "height": 1},
                "And this one?",
            ]})),
        chatgpt_node("a2b", "q2b", [], say("assistant", ["That is a Railjet."])),
    ]  # fmt: skip
    return {
        "title": title,
        "create_time": 1_738_656_000.25,
        "update_time": 1_738_659_600.5,
        "mapping": {node["id"]: node for node in nodes},
        "moderation_results": [],
        "current_node": "a2b",
        "plugin_ids": None,
        "conversation_id": external_id,
        "conversation_template_id": None,
        "gizmo_id": None,
        "is_archived": False,
        "safe_urls": [],
        "default_model_slug": "gpt-4o",
        "id": external_id,
    }


def claude_conversation(external_id: str = CLAUDE_ID, name: str = "Leave policy") -> Any:
    def said(n: int, sender: str, text: str, *blocks: Any, **more: Any) -> dict[str, Any]:
        at = f"2024-08-0{n}T09:30:00.123456Z"
        content = [*blocks, {
            "start_timestamp": at, "stop_timestamp": at, "type": "text", "text": text,
            "citations": [],
        }]  # fmt: skip
        return {
            "uuid": f"{n}{external_id[1:]}", "text": text, "content": content, "sender": sender,
            "created_at": at, "updated_at": at, "attachments": [], "files": [], **more,
        }  # fmt: skip

    attachment = {
        "file_name": "policy.txt", "file_size": 20, "file_type": "txt",
        "extracted_content": "Leave is 20 weeks.",
    }  # fmt: skip
    thinking = {"type": "thinking", "thinking": "The attachment says it.", "summaries": []}
    tool = {"type": "tool_use", "name": "search", "input": {"q": "TOOL SECRET"}}
    return {
        "uuid": external_id,
        "name": name,
        "summary": "",
        "created_at": "2024-08-01T09:30:00.000000Z",
        "updated_at": "2024-08-04T09:30:00.000000Z",
        "account": {"uuid": "a0000000-0000-4000-8000-000000000000"},
        "chat_messages": [
            said(1, "human", "How long is the leave?", attachments=[attachment]),
            said(2, "assistant", "Twenty weeks.", thinking, tool),
            said(3, "human", "Thanks!", files=[{"file_name": "note.pdf"}]),
            said(4, "assistant", "You are welcome."),
        ],
    }


def as_json(*conversations: Any) -> bytes:
    return json.dumps(list(conversations)).encode()


def as_zip(content: bytes, name: str = "conversations.json", **others: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("user.json", b"{}")
        archive.writestr("chat.html", b"<html></html>")
        archive.writestr(name, content)
        for other, bytes_ in others.items():
            archive.writestr(other, bytes_)
    return packed.getvalue()
