"""What the scripted model of the screenshots says: answers that look like those of a good model."""

from typing import Any

LEAVE = """Each parent may take **20 weeks of fully paid leave** before the child's second \
birthday, in at most three parts [1]. Three things to do before it begins:

1. Tell your team lead ten weeks ahead [1].
2. Agree on the parts; nothing has to be decided for the third one yet.
3. File the request in the people portal, as for annual leave [1].

| Kind of leave | How long | Paid |
|:--|--:|:-:|
| Parental | 20 weeks | 100 % |
| Annual | 25 days | 100 % |
| Sabbatical | up to 6 months | no |

The job, or an equal one at the same site, is kept [1].
"""
CODE = """Every page waits for the first responder for ten minutes, then for the second one [1]. \
The check behind it is short:

```python
def next_in_line(page: Page, now: datetime) -> Responder | None:
    # Who is called next; None once the incident manager knows.
    waited = now - page.sent_at
    for responder, patience in zip(page.line, LINE_PATIENCE, strict=True):
        if waited < patience:
            return responder
    return None
```

With a chance of $p = 0.9$ that a responder hears a page, two of them miss it once in \
$\\frac{1}{(1-p)^2} = 100$ pages.
"""
TRAVEL_HANS = """在北京出差，**住宿标准是每晚不超过 550 元** [1]。另外还有几点需要注意：

- 两名同性员工同行时建议合住，合住者每人每晚另补 80 元 [1]；
- 餐费补贴为每人每天 120 元，不需要发票 [1]；
- 出差结束后**十个工作日内**提交报销单 [1]。

| 城市 | 每晚上限 |
|:--|--:|
| 北京、上海、深圳、广州 | 550 元 |
| 其他省会城市 | 450 元 |
| 其余地区 | 350 元 |
"""
CARD_HANT = """門禁卡遺失時，請**立即撥打分機 2150** [1]。補發工本費為三百元 [1]。

> 門禁卡押金五百元，離職時退還。

如果當天仍需進出辦公室，可以先向七樓櫃台領取臨時卡。這一點文件中沒有寫，請向人資部確認。
"""
CREDITS = """Yes. Below 99.5 % a tenth of the month's fee is given back, below 99 % a quarter.

Announced maintenance on the first Sunday does not count. The credit is paid out in gold coins \
at the town hall of Reykjavik every spring.
"""
COFFEE = "Switch the machine off at the back, empty the grounds drawer and wait ten seconds [1]."
ASKED = {
    "leave": "How much parental leave may each parent take?",
    "code": "Who is paged when nobody answers an alarm? Show me the code for it.",
    "hans": "在北京出差，住宿标准是多少？",
    "hant": "門禁卡遺失了怎麼辦？",
    "approved": "How long are raw measurements kept?",
    "proposed": "Do customers get credits when availability is low?",
}
ASKED_OF = {ASKED["code"]: "operations"}
ANSWERS = {
    "parental leave": LEAVE,
    "alarm": CODE,
    "北京": TRAVEL_HANS,
    "門禁卡": CARD_HANT,
    "get credits": CREDITS,
}
TITLES = {
    "parental leave": "Parental leave at a glance",
    "alarm": "Who is paged next",
    "北京": "北京出差住宿标准",
    "門禁卡": "門禁卡遺失處理",
    "E3": "Coffee machine shows E3",
    "raw measurements": "How long raw measurements stay",
    "get credits": "Credits for low availability",
}
TITLE_RULES = "You write the title of a conversation"


def answer(body: dict[str, Any]) -> str:
    """The text for a request: a title where one is asked for, else what fits the last question."""
    asked = _text(body["messages"][-1])
    is_title = TITLE_RULES in _text(body["messages"][0])
    known = TITLES if is_title else ANSWERS
    # The question is the last thing in the message, after the passages that were found for it.
    found = [(asked.rfind(word), text) for word, text in known.items() if word in asked]
    return max(found)[1] if found else COFFEE


def _text(message: dict[str, Any]) -> str:
    content = message["content"]
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in content)
