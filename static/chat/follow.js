// Keeps the end of the thread in view while an answer grows, but never against the reader: any
// upward wheel, touch or key, a drag of the scroll bar or the beginning of a selection lets go, and
// only returning to the end takes hold again.
const NEAR = 80;

export class Follower {
  #following;
  #touchY = 0;
  #last = { top: 0, height: 0 };

  constructor(scroller, content, button) {
    this.scroller = scroller;
    this.content = content;
    this.button = button;
    this.#following = content.childElementCount > 0; // an empty chat is read from its top
    new ResizeObserver(() => this.#grown()).observe(content);
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    scroller.addEventListener("wheel", (event) => event.deltaY < 0 && this.#release(), { passive: true });
    scroller.addEventListener("touchstart", (event) => (this.#touchY = event.touches[0].clientY), { passive: true });
    scroller.addEventListener("touchmove", (event) => event.touches[0].clientY > this.#touchY && this.#release(), { passive: true });
    scroller.addEventListener("keydown", (event) => {
      if (["ArrowUp", "PageUp", "Home"].includes(event.key)) this.#release();
    });
    document.addEventListener("selectionchange", () => {
      const selection = getSelection();
      if (!selection.isCollapsed && content.contains(selection.anchorNode)) this.#release();
    });
    button.addEventListener("click", () => this.toEnd());
  }

  /** Jumps to the end and follows from there. */
  toEnd() {
    this.#following = true;
    this.#grown();
  }

  /** Shows a message and stays there. */
  show(message) {
    this.#following = false;
    message.scrollIntoView({ block: "start" });
  }

  get #distance() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight;
  }

  #grown() {
    if (this.#following) this.scroller.scrollTop = this.scroller.scrollHeight;
    this.button.hidden = this.#distance < NEAR || !this.content.childElementCount;
  }

  #release() {
    if (this.#distance > 0 || this.scroller.scrollTop > 0) this.#following = false;
  }

  #scrolled() {
    const { scrollTop: top, scrollHeight: height } = this.scroller;
    if (top < this.#last.top - 1 && height >= this.#last.height) this.#release();
    this.#last = { top, height };
    const near = this.#distance < NEAR;
    if (near && this.#distance < 4) this.#following = true;
    this.button.hidden = near || !this.content.childElementCount;
  }
}
