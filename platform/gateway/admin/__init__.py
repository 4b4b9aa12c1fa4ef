"""The administration of the gateway: endpoints, models, deployments, and every call."""

from gateway.admin.complexity import RoutingAliasAdmin, RoutingChoiceAdmin, RoutingRuleAdmin
from gateway.admin.endpoints import EndpointAdmin
from gateway.admin.models import DeploymentAdmin, ModelAdmin
from gateway.admin.usage import UsageAdmin

__all__ = [
    "DeploymentAdmin", "EndpointAdmin", "ModelAdmin", "RoutingAliasAdmin", "RoutingChoiceAdmin",
    "RoutingRuleAdmin", "UsageAdmin",
]  # fmt: skip
