"""The contact sheet: one page that shows every screenshot beside its variants."""

from collections.abc import Iterable
from html import escape
from pathlib import Path

HEAD = """<!doctype html>
<meta charset="utf-8">
<title>Parley, every page</title>
<style>
  body { margin: 24px; background: #e9e7e2; font: 14px/1.5 system-ui, sans-serif; }
  h2 { margin: 40px 0 8px; font-size: 18px; }
  .row { display: flex; flex-wrap: wrap; gap: 16px; align-items: flex-start; }
  figure { margin: 0; }
  img { display: block; width: 380px; border: 1px solid #bbb; border-radius: 6px; }
  img.phone { width: 180px; }
  figcaption { color: #555; font-size: 12px; }
  nav a { margin-right: 12px; }
</style>
"""


def write(folder: Path, names: Iterable[str], variants: Iterable[str]) -> Path:
    """`index.html` with a row for each page; what was not taken is left out."""
    names, variants = list(names), list(variants)
    links = "".join(f'<a href="#{escape(name)}">{escape(name)}</a> ' for name in names)
    rows = "".join(_row(folder, name, variants) for name in names)
    sheet = folder / "index.html"
    sheet.write_text(f"{HEAD}<nav>{links}</nav>{rows}", encoding="utf-8")
    return sheet


def _row(folder: Path, name: str, variants: list[str]) -> str:
    taken = [variant for variant in variants if (folder / variant / f"{name}.png").exists()]
    figures = "".join(_figure(name, variant) for variant in taken)
    return f'<h2 id="{escape(name)}">{escape(name)}</h2><div class="row">{figures}</div>'


def _figure(name: str, variant: str) -> str:
    file = f"{escape(variant)}/{escape(name)}.png"
    kind = variant.rpartition("-")[2]
    image = f'<img loading="lazy" class="{kind}" src="{file}" alt="{escape(name)}">'
    caption = f"<figcaption>{escape(variant)}</figcaption>"
    return f'<figure><a href="{file}">{image}</a>{caption}</figure>'
