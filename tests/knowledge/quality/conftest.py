"""A collection with three documents, English and Chinese, and questions about them."""

import pytest

from knowledge.models import Collection, Document
from tests.knowledge.conftest import (  # noqa: F401
    AddText,
    _files_apart,
    _ready_to_index,
    add_text,
    handbook,
    model_server,
)

TRAVEL = "# Travel\n\nTrains are preferred to planes. Hotels cost at most 120 euros a night.\n"
LEAVE = "# Leave\n\nEvery employee has thirty days of annual leave. Leave is asked for in Kiosk.\n"
EXPENSES = "# 报销\n\n差旅费用须在三十天内提交。超过五百元的费用需要经理批准。\n"


@pytest.fixture
def shelf_of_three(handbook: Collection, add_text: AddText) -> dict[str, Document]:  # noqa: F811
    return {
        "travel": add_text(handbook, TRAVEL, "travel.md"),
        "leave": add_text(handbook, LEAVE, "leave.md"),
        "expenses": add_text(handbook, EXPENSES, "expenses.md"),
    }
