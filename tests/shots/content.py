"""Believable content for the screenshots: people, collections, a month of conversations."""

from datetime import timedelta
from io import BytesIO
from pathlib import Path

from django.utils import timezone

from accounts import tokens
from accounts.models import Grant, User
from accounts.services import create_team, everyone, share
from agents.memory.services import add_memory, choose_mode
from agents.models import Agent, SavedPrompt
from chat.models import Conversation, Filing, Folder
from knowledge import services
from knowledge.models import Collection
from tests.shots import gateway, used
from tests.shots.scene import PASSWORD, READER
from tests.support import papers

DOCUMENTS = Path(__file__).parent / "documents"
PEOPLE = {
    "tomas@heronbay.example": "Tomás Reis",
    "wenting@heronbay.example": "陈文婷",
    "yijun@heronbay.example": "林怡君",
    READER: "Priya Nair",
}
DESCRIPTIONS = {
    "Measurement cloud": "How the cloud is run and changed.",
    "苏州工厂": "设备、安全与质量。",
    "台北辦公室": "制度、設備與訪客。",
}
AGENTS = [
    ("people", "People desk", "Leave, travel and everything between."),
    ("operations", "Operations", "Runbooks and releases of the cloud."),
    ("suzhou", "苏州工厂助手", "设备、安全和质量问题。"),
]
EARLIER = [  # title, days ago
    ("Release notes for 4.2, in plain words", 0),
    ("Which sites follow the travel policy?", 0),
    ("出差结束后多久要提交报销单？", 1),
    ("Severity two: who is told, and when?", 1),
    ("試用期多久？誰來評估？", 3),
    ("Compare sick pay in Leeds and Lisbon", 5),
    ("How long are raw measurements kept?", 9),
    ("质量追溯：批次号怎么看", 15),
    ("Desk allowance: what counts", 24),
    ("Onboarding plan for two engineers", 44),
]


MEMORIES = [
    "I look after the people of the Lisbon office.",
    "I prefer short answers with the paragraph they come from.",
    "我在苏州工厂有两位同事：陈文婷和王磊。",
]
PROMPTS = {
    "plain words": "Say this in plain words, for somebody in their first week:\n\n",
    "weekly summary": "Summarise what changed this week in {{collection}}, by team, with sources.",
}


def make() -> None:
    me = User.objects.get(is_superuser=True)
    User.objects.filter(pk=me.pk).update(name="Mira Okafor")
    people = [
        User.objects.create_user(email, PASSWORD, name=name) for email, name in PEOPLE.items()
    ]
    team = create_team(me, "People team")
    team.members.add(*people)
    for name, description in DESCRIPTIONS.items():
        _fill(services.create_collection(me, name, description), me, people)
    for slug, name, description in AGENTS:
        Agent.objects.create(
            owner=me, name=name, slug=slug, description=description, model_name="house-model"
        )
    tokens.issue(me, "nightly import", ["write"], timezone.now() + timedelta(days=90))
    tokens.issue(me, "laptop of Tomás")
    gateway.make()
    used.make(me, people, team)
    _remember(me)
    _talk(me)


def _remember(me: User) -> None:
    choose_mode(me, User.Memory.ASKED)
    for memory in MEMORIES:
        add_memory(me, memory)
    for name, text in PROMPTS.items():
        SavedPrompt.objects.create(owner=me, name=name, text=text)


def _fill(collection: Collection, me: User, people: list[User]) -> None:
    for path in sorted((DOCUMENTS / collection.name).iterdir()):
        services.add_document(me, collection, BytesIO(path.read_bytes()), path.name)
    if collection.name == "Measurement cloud":
        services.add_document(
            me, collection, BytesIO(papers.columns()), "Handbook of the cloud.pdf"
        )
        broken = BytesIO(b"%PDF-1.7 nothing readable follows")
        services.add_document(me, collection, broken, "Scan of 1998.pdf")
    share(collection, everyone(), Grant.Role.READER, by=me)
    share(collection, people[0], Grant.Role.EDITOR, by=me)


def _talk(me: User) -> None:
    made = []
    for title, days in EARLIER:
        made.append(Conversation.objects.create(owner=me, title=title, is_pinned=not made))
        then = timezone.now() - timedelta(days=days, hours=1)
        Conversation.objects.filter(pk=made[-1].pk).update(updated_at=then)
    people = Folder.objects.create(owner=me, name="People questions")
    Folder.objects.create(owner=me, name="苏州")
    for row in (made[5], made[8]):
        Filing.objects.create(owner=me, folder=people, conversation=row)
