// Task lists for markdown-it: "- [ ] open" and "- [x] done" as a box before the text.
const BOX = /^\[([ xX])\](?=\s)/;

export function tasks(md) {
  md.core.ruler.after("inline", "task_list", ({ tokens, Token }) => {
    tokens.forEach((token, i) => {
      if (token.type !== "inline" || tokens[i - 2]?.type !== "list_item_open") return;
      const text = token.children[0];
      const match = text?.type === "text" && BOX.exec(text.content);
      if (!match) return;
      const box = new Token("task", "span", 0);
      box.meta = { done: match[1] !== " " };
      text.content = text.content.slice(match[0].length);
      token.children.unshift(box);
      tokens[i - 2].attrJoin("class", "task-item");
    });
  });
  md.renderer.rules.task = (tokens, i) =>
    `<span class="task">${tokens[i].meta.done ? "☑" : "☐"}</span>`;
}
