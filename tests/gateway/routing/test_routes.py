"""What the rows say becomes routes: who sees, who lacks what, who is left out."""

import asyncio

import pytest

from gateway.controls import Capability
from gateway.models import Deployment, Endpoint, Model
from gateway.routing import routes
from gateway.routing.routes import find_routes, forget_routes, list_routes, sees_images

pytestmark = pytest.mark.django_db(transaction=True)


def deploy(name="one", *, has_vision=False, is_draining=False, **fields):
    endpoint = Endpoint.objects.create(
        name=name, base_url=f"http://{name}/v1", is_draining=is_draining, labels=["eu"]
    )
    model, _created = Model.objects.get_or_create(
        name="m", defaults={"has_vision": has_vision, "strategy": "weighted"}
    )
    return Deployment.objects.create(
        model=model, endpoint=endpoint, upstream_name="up", weight=7, **fields
    )


def sees():
    forget_routes()
    return asyncio.run(sees_images("m"))


@pytest.mark.parametrize(
    ("ticked", "probed", "by_hand", "expected"),
    [
        (False, {}, {}, False),
        (True, {}, {}, True),
        (False, {"vision": True}, {}, True),
        (True, {"vision": False}, {}, False),
        (False, {"vision": False}, {"vision": True}, True),
        (True, {"vision": True}, {"vision": False}, False),
    ],
)
def test_who_sees_images(ticked, probed, by_hand, expected):
    deploy(has_vision=ticked, probed=probed, capabilities=by_hand)
    assert list_routes("m")[0].has_vision is expected
    assert sees() is expected


def test_one_that_sees_is_enough():
    deploy("blind", probed={"vision": False}, priority=1)
    assert not sees()
    deploy("seeing", probed={"vision": True}, priority=2)
    assert sees()


def test_what_was_never_tried_is_not_lacking():
    deploy(probed={"tools": False, "prefix": True}, capabilities={"logprobs": False})
    (route,) = list_routes("m")
    assert route.capabilities == {Capability.PREFIX}
    assert route.lacks == {Capability.TOOLS, Capability.LOGPROBS}
    assert (route.strategy, route.weight, route.labels) == ("weighted", 7, {"eu"})


def test_an_endpoint_that_drains_gets_nothing_new():
    deploy("leaving", is_draining=True)
    deploy("staying")
    assert [route.endpoint for route in list_routes("m")] == ["staying"]


def test_nobody_goes_by_what_is_too_old():
    deploy("one")
    forget_routes()

    async def many():
        await find_routes("m")
        await asyncio.to_thread(lambda: Endpoint.objects.update(name="two"))
        known = routes._remembered._known
        known["m",] = known["m",]._replace(renewed_at=0.0, ends_at=0.0)
        found = await asyncio.gather(*(find_routes("m") for _ in range(20)))
        return [route.endpoint for (route,) in found], (await find_routes("m"))[0].endpoint

    assert asyncio.run(many()) == (["two"] * 20, "two")
