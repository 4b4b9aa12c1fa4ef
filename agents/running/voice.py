"""The words of one answer over several calls of its model."""

from agents.types import AgentTask

GAP = "\n\n"


def voice_of(task: AgentTask, before: str) -> "Voice":
    """Of who goes on in place of another agent, behind what that one said."""
    if task.caller is None or not task.caller.is_handed:
        return Voice(before)
    voice = Voice(task.caller.said)
    voice.pause()
    return voice


class Voice:
    """Puts a blank line between what was said before tools were called and after; `before` is how
    the answer began."""

    def __init__(self, before: str = "") -> None:
        self._end = before[-len(GAP) :]
        self._is_paused = False
        self.since_pause = ""  # as the model said it

    def say(self, text: str) -> str:
        """The same as it is shown."""
        self.since_pause += text
        if self._is_paused:
            text = text.lstrip()
            if not text:
                return ""
            self._is_paused = False
            trailing = len(self._end) - len(self._end.rstrip("\n"))
            text = GAP[trailing:] + text
        self._end = (self._end + text)[-len(GAP) :]
        return text

    def pause(self) -> str:
        """Tools are called; what was said since the last time."""
        said, self.since_pause = self.since_pause, ""
        self._is_paused = bool(self._end)
        return said
