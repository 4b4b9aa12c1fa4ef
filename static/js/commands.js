// What the command palette can do without asking the server: pages, the buttons that a page offers
// with `data-command`, the conversation on show, theme and language.
import { aimAt } from "./conversations.js";
import { attempt, list, shownId } from "./history.js";
import { sendJson } from "./http.js";
import { fill, gettext } from "./i18n.js";
import { isBound, keysOf } from "./shortcuts.js";

const NEWEST = 6;
const THEMES = {
  light: { icon: "sun", name: gettext("Theme: light") },
  dark: { icon: "moon", name: gettext("Theme: dark") },
  system: { icon: "monitor", name: gettext("Theme: as the system") },
};
const LANGUAGES = { en: "English", "zh-hans": "简体中文", "zh-hant": "繁體中文" };

/** @returns {import("./listbox.js").Option[]} with `run`, or `url` to open */
export function commands() {
  return [...pages(), ...buttons(), ...ofConversation(), ...themes(), ...languages()];
}

/** The conversations that changed last, as the sidebar has them. */
export function newestConversations() {
  const rows = list ? [...list.querySelectorAll("[data-conversation]")] : [];
  return rows
    .filter((row) => row.dataset.conversation !== shownId())
    .slice(0, NEWEST)
    .map((row) => ({
      id: `conversation:${row.dataset.conversation}`,
      name: row.querySelector("[data-title]").textContent.trim(),
      icon: "message-circle",
      url: `/c/${row.dataset.conversation}`,
    }));
}

function pages() {
  const links = document.getElementById("palette-links").content.querySelectorAll("a");
  return [...links].map((link) => {
    const url = link.getAttribute("href"); // not .pathname: in a template nothing is resolved
    return { id: `page:${url}`, name: link.textContent, icon: link.dataset.icon, url };
  });
}

const labelOf = (element) =>
  element.dataset.command || element.getAttribute("aria-label") || element.textContent.trim();
const iconOf = (element) => element.querySelector("use")?.getAttribute("href").split("#")[1];

function button(element, id, name = labelOf(element)) {
  const { shortcut } = element.dataset;
  const hint = shortcut && isBound(shortcut) ? keysOf(shortcut) : undefined;
  return { id, name, icon: iconOf(element), hint, run: () => element.click() };
}

function buttons() {
  return [...document.querySelectorAll("[data-command]:not(:disabled, [hidden])")]
    .filter((element) => !element.matches("a:not([href])"))
    .map((element) => button(element, `button:${labelOf(element)}`));
}

/** What the menu of the conversation on the page offers. */
function ofConversation() {
  if (!shownId() || !aimAt(shownId())) return [];
  const items = document.querySelectorAll("#conversation-menu .menu-item:not([hidden])");
  const text = gettext("This conversation: %(action)s");
  return [...items].map((item) => {
    const action = item.textContent.trim();
    return button(item, `conversation-menu:${action}`, fill(text, { action }));
  });
}

function themes() {
  return Object.entries(THEMES).map(([theme, { icon, name }]) => ({
    id: `theme:${theme}`,
    name,
    icon,
    run() {
      document.documentElement.dataset.theme = theme;
      attempt(() => sendJson("PATCH", "/api/v1/me", { theme }));
    },
  }));
}

function languages() {
  const text = gettext("Language: %(language)s");
  return Object.entries(LANGUAGES).map(([code, language]) => ({
    id: `language:${code}`,
    name: fill(text, { language }),
    icon: "languages",
    run: () =>
      attempt(async () => {
        await sendJson("PATCH", "/api/v1/me", { language: code });
        location.reload();
      }),
  }));
}
