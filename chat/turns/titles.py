"""A conversation's title, out of its first question."""

LENGTH = 60


def title_from(question: str) -> str:
    """One line of at most 60 characters, cut after a word; Chinese is cut after a character."""
    line = " ".join(question.split())
    if len(line) <= LENGTH:
        return line
    head = line[: LENGTH - 1]
    if line[LENGTH - 1] != " " and " " in head[LENGTH // 2 :]:
        head = head[: head.rindex(" ")]
    return head.rstrip(" ,;:，；：、") + "…"
