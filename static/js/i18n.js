// Translated sentences from the catalogue at /jsi18n/, which defines these before modules run.
// Call them as statements of their own: xgettext misses calls inside template literals.
const plain = (text) => text;

export const gettext = window.django?.gettext ?? plain;
export const ngettext =
  window.django?.ngettext ?? ((one, many, count) => (count === 1 ? one : many));

/** Fills `%(name)s` in a translated sentence. */
export function fill(text, values) {
  return text.replace(/%\((\w+)\)s/g, (_, name) => values[name]);
}

export const language = document.documentElement.lang;
