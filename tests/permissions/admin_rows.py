"""The administration: what its pages and actions answer, model by model.

`root` is a superuser, `clerk` is staff without any right, `auditor` is staff with the right to
view everything; all of the cast are sent to the door. The letters of `pages` say which pages root
may open: (l)ist, (a)dd, (c)hange or read, (d)elete, (h)istory.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Room:
    pages: str
    actions: frozenset[str] = frozenset()


def room(pages: str, *actions: str) -> Room:
    deleting = {"delete_selected"} if "d" in pages else set()
    return Room(pages, frozenset({*actions, *deleting}))


RECORD = room("lch")
ROOMS = {
    "auth.group": room("lacdh"),
    "accounts.user": room("lacdh", "enable", "disable", "send_links"),
    "accounts.team": room("lacdh"),
    "accounts.membership": room("lacdh"),
    "accounts.grant": room("lacdh"),
    "accounts.apitoken": room("lch", "revoke"),
    "accounts.budget": room("lacdh", "enable", "disable"),
    "knowledge.collection": room("lacdh", "reindex"),
    "knowledge.source": RECORD,
    "knowledge.syncrun": RECORD,
    "knowledge.document": room("lcdh", "retry", "reindex"),
    "knowledge.documenttext": RECORD,
    "knowledge.documentversion": RECORD,
    "knowledge.stage": RECORD,
    "knowledge.chunk": RECORD,
    "knowledge.embeddingversion": RECORD,
    "knowledge.embedding": RECORD,
    "knowledge.storagemeasurement": RECORD,
    "agents.agent": room("lacdh"),
    "agents.savedprompt": room("lacdh"),
    "agents.measurement": room("lacdh"),
    "agents.mcpserver": room("lacdh", "refresh", "enable", "disable"),
    "agents.policyrule": room("lacdh"),
    "agents.installedguardrail": room("lacdh"),
    "agents.toolexecution": RECORD,
    "chat.conversation": RECORD,
    "chat.message": RECORD,
    "chat.citation": RECORD,
    "chat.turn": room("lch", "stop"),
    "chat.feedback": room("lch", "export"),
    "chat.preference": room("lch", "export"),
    "chat.sharedlink": room("lch", "take_back"),
    "gateway.endpoint": room(
        "lacdh", "test_connection", "drain", "stop_draining", "reset_breaker", "enable", "disable"
    ),
    "gateway.model": room("lacdh"),
    "gateway.deployment": room("lacdh", "enable", "disable"),
    "gateway.usage": RECORD,
    "gateway.routingalias": room("lacdh"),
    "gateway.routingrule": room("lacdh", "enable", "disable"),
    "gateway.routingchoice": RECORD,
    "security.auditentry": RECORD,
    "events.stream": RECORD,
    "events.job": room("lch", "cancel"),
}
# Pages of single rows with people's words in them: for superusers only.
PRIVATE = {"chat.conversation", "chat.message", "chat.citation", "chat.turn"}
PAGES = {"l": "changelist", "a": "add", "c": "change", "d": "delete", "h": "history"}
