"""Complexity routing: past choices, corrections, rules, regret, and questions that are tried."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from gateway.models import Deployment, Endpoint, Model, RoutingAlias, RoutingChoice, RoutingRule
from security.acts import Act
from security.models import AuditEntry

pytestmark = pytest.mark.django_db
QUESTION = "Compare leases with locks, please"


@pytest.fixture
def alias():
    models = {}
    endpoint = Endpoint.objects.create(name="E", base_url="http://127.0.0.1:9/v1")
    for price, name in enumerate(("small", "middle", "large"), 1):
        models[name] = Model.objects.create(name=name, has_vision=name == "large")
        Deployment.objects.create(
            model=models[name], endpoint=endpoint, upstream_name=name, prompt_price=price,
            completion_price=price,
        )  # fmt: skip
    return RoutingAlias.objects.create(
        model=Model.objects.create(name="auto"), simple=models["small"], medium=models["middle"],
        hard=models["large"],
    )  # fmt: skip


@pytest.fixture
def choice(alias):
    return chose(alias, {"comparison": 1, "tokens": 430, "passages": 2})


def chose(alias, features, **fields):
    given = {"tier": "medium", "target": "middle", "score": 3.1, "voted_by": "score"} | fields
    return RoutingChoice.objects.create(alias=alias, features=features, **given)


def place(name, *args):
    return reverse(f"admin:gateway_{name}", args=args)


def staff(*rights):
    person = User.objects.create_user("clerk@example.org", is_staff=True)
    person.user_permissions.add(*Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(person)
    return client


def test_the_page_of_an_alias_shows_what_it_chose_and_why(root_client, alias, choice):
    html = root_client.get(place("routingalias_change", alias.pk)).content.decode()
    for said in (
        "comparison question",
        "430 tokens long",
        "2 passages",
        "middle",
        "Nobody has corr",
    ):
        assert said in html, said
    assert "Points of each feature" in html


def test_one_click_corrects_a_choice_and_another_takes_it_back(root_client, alias, choice):
    act = place("routingchoice_correct", choice.pk)
    answer = root_client.post(act, {"tier": "hard"}, headers={"X-Requested-With": "fetch"})
    assert 'value="hard" aria-pressed="true"' in answer.json()["html"]
    choice.refresh_from_db()
    assert choice.corrected_tier == "hard"
    assert choice.corrected_at
    entry = AuditEntry.objects.filter(act=Act.ADMIN_CHANGED).latest("pk")
    assert "corrected_tier" in str(entry.detail)
    html = root_client.get(place("routingalias_change", alias.pk)).content.decode()
    assert "As it is" in html
    assert "Always hard" in html
    answer = root_client.post(act, {"tier": "hard"})
    assert answer.url == place("routingchoice_changelist")
    choice.refresh_from_db()
    assert choice.corrected_tier == ""
    assert root_client.get(act).status_code == 405


def test_who_may_only_look_corrects_tries_and_teaches_nothing(alias, choice):
    reader = staff("view_routingchoice", "view_routingalias")
    html = reader.get(place("routingchoice_changelist")).content.decode()
    assert "data-correct" not in html
    assert "comparison question" in html
    assert "data-correct" not in reader.get(place("routingalias_change", alias.pk)).content.decode()
    for name, row in (("routingchoice_correct", choice), ("routingalias_try", alias),
        ("routingalias_learn", alias)):  # fmt: skip
        assert reader.post(place(name, row.pk), {"tier": "hard"}).status_code == 403


def test_the_right_to_change_choices_is_enough_to_correct_one(alias, choice):
    clerk = staff("view_routingchoice", "change_routingchoice")
    assert "data-correct" in clerk.get(place("routingchoice_changelist")).content.decode()
    assert (
        clerk.post(place("routingchoice_correct", choice.pk), {"tier": "simple"}).status_code == 302
    )
    choice.refresh_from_db()
    assert choice.corrected_tier == "simple"
    assert clerk.get(place("routingchoice_change", choice.pk)).status_code == 200


def test_choices_are_filtered(root_client, alias, choice):
    chose(alias, {"code": 1}, tier="hard", corrected_tier="simple", corrected_at=timezone.now())

    def shown(**query):
        html = root_client.get(place("routingchoice_changelist"), query).content.decode()
        return html.count("data-correct=")

    assert shown() == 2
    assert shown(tier="hard") == shown(corrected="yes") == shown(corrected="no") == 1
    assert shown(alias=str(alias.pk), voted_by="score") == 2
    assert shown(voted_by="judge") == 0
    assert shown(q=str(choice.pk)) == 1


def test_a_question_is_tried_without_a_trace(root_client, alias):
    address = place("routingalias_try", alias.pk)
    part = root_client.post(address, {"question": QUESTION}, headers={"X-Requested-With": "fetch"})
    assert "comparison question" in part.content.decode()
    assert "<html" not in part.content.decode()
    RoutingRule.objects.create(alias=alias, conditions="comparison", tier="hard")
    RoutingAlias.objects.update(judge=alias.simple)
    page = root_client.post(address, {"question": QUESTION}).content.decode()
    assert "comparison question → hard" in page
    assert "<b>large</b>" in page
    assert not RoutingChoice.objects.exists()


def test_a_correction_becomes_a_rule(root_client, alias, choice):
    choice.corrected_tier = "hard"
    choice.save()
    html = root_client.get(place("routingrule_add"), {"choice": choice.pk}).content.decode()
    assert "tokens &gt;= 400\ncomparison" in html
    assert '<option value="hard" selected>' in html
    given = {"alias": alias.pk, "conditions": "comparison\r\ntokens >= 400", "tier": "hard",
        "position": 1, "is_enabled": "on"}  # fmt: skip
    assert root_client.post(place("routingrule_add"), given).status_code == 302
    listed = root_client.get(place("routingrule_changelist")).content.decode()
    assert "comparison question and at least 400 tokens long → hard" in listed
    wrong = root_client.post(place("routingrule_add"), given | {"conditions": "witty"})
    assert "“witty” is no condition" in wrong.content.decode()


def test_learning_is_offered_where_it_helps(root_client, alias):
    for n in range(20):
        features = {"chinese": 1, "tokens": 20 + n} if n % 2 else {"code": 1, "tokens": 20 + n}
        right = "hard" if n % 2 else "simple"
        chose(alias, features, corrected_tier=right, corrected_at=timezone.now())
    html = root_client.get(place("routingalias_change", alias.pk)).content.decode()
    assert "With what it would learn" in html
    act = place("routingalias_learn", alias.pk)
    assert act in html
    said = root_client.post(act, follow=True).content.decode()
    assert "Learned: a regret of" in said
    assert RoutingAlias.objects.get().learned_at
    assert act not in said
    assert "nothing better" in root_client.post(act, follow=True).content.decode()


def test_an_alias_is_made_of_models_and_sees_what_they_see(root_client, alias):
    alias.delete()
    html = root_client.get(place("routingalias_add")).content.decode()
    small, large = Model.objects.get(name="small"), Model.objects.get(name="large")
    name = Model.objects.get(name="auto")
    given = {"model": name.pk, "simple": small.pk, "medium": small.pk, "hard": large.pk,
        "medium_from": 2, "hard_from": 4.5, "judge_margin": 0.75}  # fmt: skip
    assert root_client.post(place("routingalias_add"), given).status_code == 302
    name.refresh_from_db()
    assert name.has_vision
    assert f'value="{name.pk}"' in html
    wrong = root_client.post(place("deployment_add"), {"model": name.pk, "upstream_name": "x",
        "endpoint": Endpoint.objects.get().pk, "priority": 1, "weight": 1, "capabilities": "{}",
        "extra_body": "{}"})  # fmt: skip
    assert "stands for several models" in wrong.content.decode()
