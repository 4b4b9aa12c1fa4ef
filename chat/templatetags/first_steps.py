from typing import Any

from django import template

from chat.first_steps import list_first_steps

register = template.Library()


@register.inclusion_tag("chat/_first_steps.html", takes_context=True)
def first_steps(context: dict[str, Any]) -> dict[str, Any]:
    """What an administrator has yet to do, until they put it away."""
    user = context["request"].user
    steps = list_first_steps(user)
    return {"steps": steps, "done": sum(step.is_done for step in steps), "user": user}
