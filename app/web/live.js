// What becomes of jobs, as it happens: by one stream of server-sent events, and by asking where there is none.

import { Problem, job, stream } from "./api.js";
import { lanes, pause } from "./patience.js";

const ASKED_AT_ONCE = 3;
const CALM = 20; // seconds between questions about a job whose events come by the stream
const RETRY = 3; // seconds until a broken stream is opened anew

/** Follows jobs to their end. Tells views to `onView(view)`, what the stream says of unfinished ones to `onChange(change)`, a
 * problem to `onProblem(id, problem)`; `onLink(state)` hears whether changes come "live", by "asking", or not: "offline". */
export class Live {
  #watched = new Map(); // id -> AbortController of the pause before its next question
  #ask = lanes(ASKED_AT_ONCE);
  #streaming = false;
  #told;

  constructor({ onView, onChange, onProblem, onLink }) {
    Object.assign(this, { onView, onChange, onProblem, onLink });
  }

  /** Follows a job from now on, until it ends or `leave` is called. */
  watch(id) {
    if (this.#watched.has(id)) return;
    this.#watched.set(id, new AbortController());
    this.#listen();
    this.#follow(id);
  }

  /** Follows it no longer. */
  leave(id) {
    this.#watched.get(id)?.abort();
    this.#watched.delete(id);
  }

  async #follow(id) {
    let failures = 0;
    while (this.#watched.has(id)) {
      let wait;
      try {
        const { body, retryAfter } = await this.#ask(() => job(id));
        failures = 0;
        this.#link(this.#streaming ? "live" : "asking");
        if (!this.#watched.has(id)) return;
        this.onView(body);
        if (ended(body.status)) return this.leave(id);
        wait = this.#streaming ? Math.max(CALM, retryAfter ?? 1) : retryAfter ?? 1;
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        if (problem.status === 0) this.#link("offline");
        if (!this.#watched.has(id)) return;
        this.onProblem(id, problem);
        if (!problem.passing) return this.leave(id);
        wait = problem.retryAfter ?? Math.min(30, 2 ** (failures += 1));
      }
      await pause(wait, this.#watched.get(id)?.signal).catch(() => this.#renew(id));
    }
  }

  // The pause before a job's next question ends when the stream says that something has happened.
  #renew(id) {
    if (this.#watched.has(id)) this.#watched.set(id, new AbortController());
  }

  async #listen() {
    if (this.#streaming) return;
    this.#streaming = true;
    let lastEventId = "";
    while (this.#watched.size > 0) {
      try {
        const response = await stream("events", { lastEventId });
        this.#link("live");
        for await (const event of events(response.body)) {
          lastEventId = event.id || lastEventId;
          this.#heard(event);
          if (this.#watched.size === 0) break;
        }
      } catch (problem) {
        // a service without streams, or one that has no room for another: jobs are asked after
        if (problem instanceof Problem && !problem.passing) break;
      }
      if (this.#watched.size > 0) await pause(RETRY);
    }
    this.#streaming = false;
    for (const waiting of this.#watched.values()) waiting.abort();
  }

  // An event says how far a job is; what was read is asked for at its end, not page after page.
  #heard({ data }) {
    if (!data) return;
    const change = JSON.parse(data);
    if (!this.#watched.has(change.id)) return;
    if (ended(change.status)) this.#watched.get(change.id).abort();
    else this.onChange(change);
  }

  #link(state) {
    if (state === this.#told) return;
    this.#told = state;
    this.onLink(state);
  }
}

/** Whether nothing more becomes of a job in this state. */
export const ended = (status) => ["done", "dead-letter", "cancelled"].includes(status);

/** The events of a stream of bytes: `{ id, event, data }` (HTML standard, 9.2.6). */
export async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let event = { id: "", event: "", data: "" };
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split(/\r\n|\r|\n/);
      rest = lines.pop();
      for (const line of lines) {
        if (line === "") {
          yield event;
          event = { id: "", event: "", data: "" };
          continue;
        }
        const [, field, text] = /^([^:]*):? ?(.*)$/.exec(line);
        if (field === "data") event.data += (event.data && "\n") + text;
        else if (field in event) event[field] = text;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
