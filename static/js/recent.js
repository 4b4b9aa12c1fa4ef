// What a person used last, of each kind, in this browser: ids alone, the latest first.
const KEPT = 20;

const key = (kind) => `recent:${document.body.dataset.user}:${kind}`;

export function recentIds(kind) {
  try {
    return JSON.parse(localStorage.getItem(key(kind))) ?? [];
  } catch {
    return [];
  }
}

export function remember(kind, id) {
  const others = recentIds(kind).filter((other) => other !== id);
  localStorage.setItem(key(kind), JSON.stringify([id, ...others].slice(0, KEPT)));
}

/** The items in their order, but for those used lately, which come first. */
export function recentFirst(kind, items, idOf = (item) => item.id) {
  const ids = recentIds(kind);
  const place = (item) => (ids.indexOf(idOf(item)) + KEPT + 1) % (KEPT + 1);
  return [...items].sort((one, other) => place(one) - place(other));
}
