// What the modules of the chat page share: which conversation it is, its socket, what is being written.
import { Socket } from "../js/socket.js";
import { Follower } from "./follow.js";
import { chosenModel } from "./models.js";
import { chosenAgent, chosenCollections } from "./pickers.js";
import { list } from "./thread.js";

export const scroller = document.getElementById("thread");

export const isTrial = "trial" in scroller.dataset; // in a frame beside the form of an agent

/** `conversation`: null until its first question is taken. `composer`: null for who only reads. */
export const talk = { conversation: scroller.dataset.conversation ?? null, composer: null };
export const running = new Set(); // the answers being written: one, or those of a comparison
export const socket = new Socket("/ws/");
export const follower = new Follower(scroller, list, document.getElementById("to-end"));

export const choices = () => ({ agent: chosenAgent(), model: chosenModel(), collections: chosenCollections() });
export const carriedFiles = (files) => (files.length ? { attachments: files.map(({ id }) => id) } : {});

/** Names one sending of a question; randomUUID() exists on https and localhost only. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
