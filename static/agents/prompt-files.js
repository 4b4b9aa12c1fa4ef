// Prompts in files: our own export, and lists as Open WebUI and others write them. Pure.
import { gettext } from "../js/i18n.js";

/** `[{name, text}]` of a JSON file; throws an Error that says what is wrong. */
export function readPrompts(json) {
  let read;
  try {
    read = JSON.parse(json);
  } catch {
    throw new Error(gettext("This file is not JSON."));
  }
  const rows = Array.isArray(read) ? read : read?.prompts;
  const prompts = Array.isArray(rows) ? rows.map(words).filter(Boolean) : [];
  if (!prompts.length) throw new Error(gettext("There are no prompts in this file."));
  return prompts;
}

function words(row) {
  const text = row?.text ?? row?.content ?? row?.prompt;
  const name = row?.name ?? row?.title ?? row?.act ?? row?.command?.replace?.(/^\//, "");
  if (typeof text !== "string" || typeof name !== "string" || !text.trim() || !name.trim()) return null;
  return { name: name.trim().slice(0, 80), text: text.trim().slice(0, 8000) };
}
