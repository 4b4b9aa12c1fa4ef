"""Tables of the app and who may see their rows."""

from chat.imports.models import Import, ImportedConversation
from chat.models.conversations import Conversation, Filing, Folder
from chat.models.messages import Citation, Message, SearchEntry
from chat.models.opinions import Feedback, Preference
from chat.models.turns import Turn
from chat.sharing.models import SharedLink

__all__ = [
    "Citation",
    "Conversation",
    "Feedback",
    "Filing",
    "Folder",
    "Import",
    "ImportedConversation",
    "Message",
    "Preference",
    "SearchEntry",
    "SharedLink",
    "Turn",
]
