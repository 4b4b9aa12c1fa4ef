"""Questions that an empty chat offers, each answered by a document of the sample collection."""

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import get_language

from accounts.models import User
from knowledge.models import Document

SHOWN = 4


@dataclass(frozen=True, slots=True)
class Starter:
    question: str
    file_name: str
    """The sample that answers it: the question is offered to those who may see that file."""
    language: str


STARTERS = (
    Starter("How much parental leave may each parent take?", "leave-policy.md", "en"),
    Starter("The coffee machine shows E3. What should I do?", "coffee-machine.md", "en"),
    Starter("出差结束后多久要提交报销单？", "差旅报销制度.md", "zh-Hans"),
    Starter("在北京出差，住宿标准是多少？", "差旅报销制度.md", "zh-Hans"),
    Starter("門禁卡遺失了怎麼辦？", "新進員工手冊.md", "zh-Hant"),
    Starter("試用期多久？誰來評估？", "新進員工手冊.md", "zh-Hant"),
)


def list_starters(user: User | AnonymousUser) -> list[Starter]:
    """Starters that `user` can get answered: those of their language, then one of each other."""
    names = {starter.file_name for starter in STARTERS}
    samples = Document.objects.visible_to(user).filter(file_name__in=names)
    answered = set(samples.values_list("file_name", flat=True))
    offered = [starter for starter in STARTERS if starter.file_name in answered]
    language = (get_language() or "en").lower()
    own = [starter for starter in offered if starter.language.lower() == language]
    others = {s.language: s for s in reversed(offered) if s not in own}
    return [*own, *reversed(others.values())][:SHOWN]
