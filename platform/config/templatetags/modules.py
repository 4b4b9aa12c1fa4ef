"""Names a page's modules to the browser at once, instead of one import after the other."""

import posixpath
import re
from functools import cache
from pathlib import Path

from django import template
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

register = template.Library()

IMPORT = re.compile(r"""^\s*(?:import|export)\b[^"';]*?["'](\.[^"']+)["'];""", re.MULTILINE)


@register.simple_tag
def module_preloads(*entries: str) -> SafeString:
    """A link for every module that these import, directly or not; lazy imports stay lazy."""
    paths = [path for path in imported_modules(entries) if path not in entries]
    return format_html_join(
        "\n", '<link rel="modulepreload" href="{}">', ((static(path),) for path in paths)
    )


@cache
def imported_modules(entries: tuple[str, ...]) -> tuple[str, ...]:
    """The entries and all they import statically, those nearest to them first."""
    found: dict[str, None] = dict.fromkeys(entries)
    waiting = list(entries)
    while waiting:
        path = waiting.pop(0)
        fresh = [name for name in _imports_of(path) if name not in found]
        found |= dict.fromkeys(fresh)
        waiting += fresh
    return tuple(found)


def _imports_of(path: str) -> list[str]:
    source = finders.find(path)
    if source is None:
        return []
    folder = posixpath.dirname(path)
    if "vendor" in folder:
        return []
    text = Path(source).read_text(encoding="utf-8")
    return [posixpath.normpath(posixpath.join(folder, name)) for name in IMPORT.findall(text)]
