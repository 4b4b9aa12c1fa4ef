"""An approval as a person reads it: every byte of the call is there to see."""

import json

from agents.approvals.models import Approval, ToolPermission
from agents.tools.registry import TOOLS
from security.invisible import shown


def arguments_of(approval: Approval) -> str:
    """The exact arguments over several lines, invisible characters written out."""
    return shown(json.dumps(json.loads(approval.arguments), ensure_ascii=False, indent=2))


def title_of(row: Approval | ToolPermission) -> str:
    """In the language of whoever reads, of a tool of this installation."""
    known = None if row.server else TOOLS.get(row.tool)
    return str(known.title) if known else row.title or row.tool
