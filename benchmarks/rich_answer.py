"""A long answer with everything in it that an answer may have, and its tokens."""

SECTION = """## Part {n}: how leases keep a turn safe

A runner holds a *lease* on the turn that it writes, with a **fence** that grows with every claim;
whatever it appends carries the fence, so a runner that was thought dead cannot write.
跑者持有租约，每次认领**围栏号**都会增加；旧的写入会被拒绝。See `events/leases.py` and https://example.org/leases.

1. Claim the stream by database time.
2. Append in batches, with the fence.
   - a batch that comes late is refused
   - 续租失败时，回合由另一个进程接手
3. Close the stream with the last event.

| step | who | takes ms | note |
|:--|:--|--:|:-:|
| claim {n} | runner | 1.3 | `for update skip locked` |
| append | runner | 0.8 | 批量写入 |
| close | runner | 2.1 | one transaction |

```python
def append(stream: UUID, fence: int, events: Sequence[Event]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(APPEND, [stream, fence, encode(events)])
        (last,) = cursor.fetchone() or (None,)
    if last is None:
        raise LeaseLost(stream)
    return last  # part {n}
```

The expected wait is $\\frac{{1}}{{\\mu - \\lambda}}$ and, for {n} runners,

$$
W = \\frac{{C(n, a)}}{{n \\mu - \\lambda}} + \\frac{{1}}{{\\mu}}
$$

> Nothing is lost while the record is in Postgres.

"""
LIST = "".join(f"- item {n} of a long list, 第 {n} 项，with **words** in it\n" for n in range(40))
TOKEN = 3  # characters, about what a tokenizer makes of such a mixture


def text_of(tokens: int) -> str:
    """Sections with a list of forty items after every fifth, cut to the number of tokens."""
    parts: list[str] = []
    length, n = 0, 0
    while length < tokens * TOKEN:
        n += 1
        parts.append(SECTION.format(n=n) + (f"{LIST}\n" if n % 5 == 0 else ""))
        length += len(parts[-1])
    return "".join(parts)[: tokens * TOKEN]


def tokens_of(tokens: int) -> list[str]:
    text = text_of(tokens)
    return [text[at : at + TOKEN] for at in range(0, len(text), TOKEN)]
