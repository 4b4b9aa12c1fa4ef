// One socket a tab: reconnects by itself, resumes every watched stream after the last event seen,
// and sends a question again until the server has said what became of it.
import { gettext } from "./i18n.js";

const BACK_OFF_MS = 500;
const BACK_OFF_MAX_MS = 15_000;
const PING_MS = 20_000;
const SILENCE_MS = 8_000; // no frame this long after a ping: the connection is dead
const ACK_MS = 250;
const SIGNED_OUT = 4401;
const RESTART = 1012;
const PATIENCE_MS = 12_000; // a question not accepted by then is reported as not sent
const AWAY_MS = 1500; // a short drop is nobody's business; after it a question is not even tried

/**
 * Frames that end in an answer are promises; `state`, `reload`, `changed` (somebody changed a
 * conversation) and `version` (of the scripts that the server has) are events.
 */
export class Socket extends EventTarget {
  #url;
  #ws = null;
  #attempt = 0;
  #retry = 0;
  #silence = 0;
  #ack = 0;
  #lostAt = performance.now();
  #streams = new Map();
  #requests = new Map();

  constructor(path) {
    super();
    this.#url = new URL(path, location.href.replace(/^http/, "ws"));
    setInterval(() => this.#ping(), PING_MS);
    addEventListener("online", () => this.reconnect());
    addEventListener("offline", () => this.isOpen && this.#drop());
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      if (this.isOpen) this.#ping();
      else this.reconnect();
    });
    this.#connect();
  }

  get isOpen() {
    return this.#ws?.readyState === WebSocket.OPEN;
  }

  /** Without a connection for longer than a moment. */
  get isAway() {
    return this.#lostAt !== null && performance.now() - this.#lostAt > AWAY_MS;
  }

  /**
   * Calls `onEvent(kind, data)` for every event of `stream`, in order, once each; those that came
   * before (after `accepted`, or for an earlier watcher) first.
   */
  watch(stream, onEvent) {
    const isNew = !this.#streams.has(stream);
    const watched = this.#follow(stream);
    watched.onEvent = onEvent;
    for (const [kind, data] of [...watched.seen]) onEvent(kind, data);
    if (isNew) this.#send({ type: "subscribe", stream, after: 0 });
  }

  unwatch(stream) {
    if (this.#streams.delete(stream)) this.#send({ type: "unsubscribe", stream });
  }

  /**
   * Starts a turn. Resolves to the `accepted` frame; rejects with an Error whose message can be
   * shown. Safe to repeat with the same `id`: the server starts it once.
   */
  startTurn(frame) {
    return this.#request({ type: "turn.start", ...frame });
  }

  /** Says something to an answer that is being written; resolves to the `noted` frame. */
  steer(frame) {
    return this.#request({ type: "turn.steer", ...frame });
  }

  #request(message) {
    const { id } = message;
    if (this.isAway) return Promise.reject(new Error(gettext("No connection: this was not sent. Your text is kept.")));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        if (this.#requests.delete(id)) reject(new Error(gettext("This was not sent.")));
      }, PATIENCE_MS);
      this.#requests.set(id, { message, resolve, reject, timer });
      this.#send(message);
    });
  }

  stopTurn(turn) {
    this.#send({ type: "turn.stop", turn_id: turn });
  }

  #connect() {
    clearTimeout(this.#retry);
    const ws = new WebSocket(this.#url);
    this.#ws = ws;
    ws.addEventListener("open", () => this.#opened());
    ws.addEventListener("message", (event) => {
      clearTimeout(this.#silence);
      this.#receive(JSON.parse(event.data));
    });
    ws.addEventListener("close", ({ code }) => {
      if (code === SIGNED_OUT) this.#announce("signed-out");
      else if (ws === this.#ws) this.#closed(code === RESTART ? "restarting" : "closed");
    });
  }

  #opened() {
    this.#attempt = 0;
    this.#lostAt = null;
    this.#announce("open");
    this.#send({ type: "changes" });
    for (const [stream, { last }] of this.#streams) {
      this.#send({ type: "subscribe", stream, after: last });
    }
    for (const { message } of this.#requests.values()) this.#send(message);
  }

  #closed(state) {
    clearTimeout(this.#silence);
    this.#lostAt ??= performance.now();
    const longest = Math.min(BACK_OFF_MAX_MS, BACK_OFF_MS * 2 ** this.#attempt++);
    this.#retry = setTimeout(() => this.#connect(), longest * (0.5 + Math.random() / 2));
    this.#announce(state);
    if (this.#attempt === 2) this.#checkSession();
  }

  /** A socket refused for want of a session looks like a lost one; a page request tells. */
  async #checkSession() {
    const answer = await fetch("/conversations/", { redirect: "manual" }).catch(() => null);
    if (answer?.type === "opaqueredirect") this.#announce("signed-out");
  }

  /** Does not wait for the next attempt. */
  reconnect() {
    if (this.#ws && this.#ws.readyState <= WebSocket.OPEN) return;
    this.#attempt = 0;
    this.#connect();
  }

  #announce(state) {
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }

  #send(frame) {
    if (this.isOpen) this.#ws.send(JSON.stringify(frame));
  }

  #ping() {
    if (!this.isOpen) return;
    this.#send({ type: "ping" });
    clearTimeout(this.#silence);
    const ws = this.#ws;
    this.#silence = setTimeout(() => ws === this.#ws && this.#drop(), SILENCE_MS);
  }

  /** Gives a dead connection up: close() would wait for an answer that does not come. */
  #drop() {
    const ws = this.#ws;
    this.#ws = null;
    ws.close();
    this.#closed("closed");
  }

  #receive(frame) {
    if (frame.type === "event") this.#receiveEvent(frame);
    else if (frame.type === "aside") this.#streams.get(frame.stream)?.onEvent?.(frame.kind, frame.data);
    else if (frame.type === "accepted") this.#accepted(frame);
    else if (frame.type === "noted") this.#settle(frame.id)?.resolve(frame);
    else if (frame.type === "refused") this.#refused(frame);
    else if (frame.type === "reload") this.#reload(frame.stream);
    else if (frame.type === "changed") this.dispatchEvent(new CustomEvent("changed", { detail: frame }));
    else if (frame.type === "changes") this.dispatchEvent(new CustomEvent("version", { detail: frame.version }));
  }

  #receiveEvent({ stream, seq, from = seq, kind, data }) {
    const watched = this.#streams.get(stream);
    if (!watched || seq <= watched.last) return;
    if (from <= watched.last) { // joined deltas, part of them drawn already: ask for the rest alone
      this.#send({ type: "subscribe", stream, after: watched.last });
      return;
    }
    watched.last = seq;
    watched.seen.push([kind, data]);
    watched.onEvent?.(kind, data);
    this.#ack ||= setTimeout(() => this.#acknowledge(), ACK_MS);
  }

  #acknowledge() {
    this.#ack = 0;
    for (const [stream, watched] of this.#streams) {
      if (watched.last === watched.acked) continue;
      watched.acked = watched.last;
      this.#send({ type: "ack", stream, seq: watched.last });
    }
  }

  #follow(stream) {
    let watched = this.#streams.get(stream);
    if (!watched) {
      watched = { last: 0, acked: 0, seen: [], onEvent: null };
      this.#streams.set(stream, watched);
    }
    return watched;
  }

  /** The server follows the turn for us from here on; its events may come before `watch`. */
  #accepted(frame) {
    const request = this.#settle(frame.id);
    if (!request) return;
    this.#follow(frame.turn_id);
    request.resolve(frame);
  }

  #settle(id) {
    const request = this.#requests.get(id);
    this.#requests.delete(id);
    clearTimeout(request?.timer);
    return request;
  }

  #refused(frame) {
    const reason = frame.detail ?? frame.title ?? gettext("The server refused this.");
    const request = this.#settle(frame.id);
    if (request) request.reject(Object.assign(new Error(reason), { problem: frame.problem }));
    else this.dispatchEvent(new CustomEvent("refused", { detail: { ...frame, reason } }));
  }

  #reload(stream) {
    this.#streams.delete(stream);
    this.dispatchEvent(new CustomEvent("reload", { detail: stream }));
  }
}
