"""Who answers when a budget has not enough left for whom it would usually be.

Where the budget lets it, the other deployments of the model come first: those that it has enough
for are cheaper. Then the model that the budget names. An answer that somebody has begun is not
handed to another model.
"""

from gateway.errors import BudgetExhausted
from gateway.routing.attempt import Attempt
from gateway.routing.course import Course
from gateway.types import FindRoutes


async def go_on(
    course: Course, attempt: Attempt, error: BudgetExhausted, find_routes: FindRoutes
) -> Course:
    """The course to go on with; raises the error where it ends here."""
    try:
        course.note(attempt, error)
    except BudgetExhausted:
        name = error.fall_back_to
        if not name or course.is_cheaper or course.answer.length:
            raise
        routes = [route for route in await find_routes(name) if route.model == name]
        if not routes:
            raise
        return course.instead(routes)
    return course
