"""Complexity routing: aliases, their rules, and what was chosen."""

from gateway.admin.complexity.aliases import RoutingAliasAdmin
from gateway.admin.complexity.choices import RoutingChoiceAdmin
from gateway.admin.complexity.rules import RoutingRuleAdmin

__all__ = ["RoutingAliasAdmin", "RoutingChoiceAdmin", "RoutingRuleAdmin"]
