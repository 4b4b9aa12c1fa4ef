from django import template

from observability.version import shell_version

register = template.Library()
register.simple_tag(shell_version)
