// The HTTP contract as the page sees it: submit an image, follow its job. Knows nothing of the DOM.

const FINAL = new Set(["done", "dead-letter", "cancelled"]);
const KEY = "api-key";
const LONGEST_PAUSE = 30;
const uploads = lanes(3);

/** What went wrong, as the server's problem+json says it. `status` 0: the server was not reached. */
export class Problem extends Error {
  constructor(status, { code = "unknown", detail = "", request_id = "" } = {}, retryAfter = null) {
    super(detail || `HTTP ${status}`);
    Object.assign(this, { status, code, detail, requestId: request_id, retryAfter });
  }

  /** Whether the same request may go through a little later. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** Whether a person can get the same request through: later, or with a key. */
  get curable() {
    return this.passing || this.status === 401 || this.status === 408;
  }
}

let askForKey = async () => null;
let asking = null;

/** Sets how a key is asked for: an async function (wasRefused) that gives the key, or null. */
export function onKeyWanted(ask) {
  askForKey = ask;
}

/** Uploads a file when its turn comes, telling `onSend()`; gives the job's first view. Waits while the queue is full,
 * telling `onWait(problem)`. */
export function submit(file, { onSend, onWait, signal }) {
  const send = () => {
    onSend();
    const body = new FormData();
    body.append("file", file, file.name);
    return request("images", { method: "POST", body, signal });
  };
  return uploads(async () => {
    const { view } = await persist(send, ({ status }) => status === 503 || status === 429, { onWait, signal });
    return view;
  });
}

/** Polls a job until it is final; gives every view to `onView` and every hold-up to `onWait`. */
export async function follow(id, { onView, onWait, signal }) {
  const look = () => request(`images/${encodeURIComponent(id)}`, { signal });
  for (;;) {
    const { view, retryAfter } = await persist(look, (problem) => problem.passing, { onWait, signal });
    onView(view);
    if (FINAL.has(view.status)) return view;
    await pause(retryAfter ?? 1, signal);
  }
}

/** Cancels a job that has not ended. */
export async function cancel(id, { signal }) {
  await request(`images/${encodeURIComponent(id)}`, { method: "DELETE", signal });
}

async function persist(attempt, mayPass, { onWait, signal }) {
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt();
    } catch (problem) {
      if (!(problem instanceof Problem) || !mayPass(problem)) throw problem;
      onWait(problem);
      await pause(problem.retryAfter ?? Math.min(LONGEST_PAUSE, 2 ** failures), signal);
    }
  }
}

async function request(path, options) {
  for (;;) {
    const key = sessionStorage.getItem(KEY);
    const response = await send(path, { ...options, headers: key ? { "X-API-Key": key } : {} });
    if (response.status !== 401) return read(response);
    // another request may have brought a new key meanwhile
    if (sessionStorage.getItem(KEY) === key && !(await wantKey(key !== null))) return read(response);
  }
}

async function send(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { code: "unreachable" });
  }
}

async function read(response) {
  const body = await response.json().catch(() => ({}));
  const retryAfter = seconds(response.headers.get("Retry-After"));
  if (!response.ok) throw new Problem(response.status, body, retryAfter);
  return { view: body, retryAfter };
}

// However many requests are refused at once, a person is asked once.
function wantKey(wasRefused) {
  asking ??= askForKey(wasRefused).then((key) => {
    asking = null;
    if (key) sessionStorage.setItem(KEY, key);
    return Boolean(key);
  });
  return asking;
}

// Retry-After is a number of seconds or a date (RFC 9110, 10.2.3).
function seconds(header) {
  if (header === null) return null;
  const value = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isNaN(value) ? null : Math.max(0.2, value);
}

function pause(duration, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, duration * 1000);
    signal.addEventListener("abort", stop, { once: true });
  });
}

// A function that runs at most `count` works at once and lets the others wait their turn.
function lanes(count) {
  const waiting = [];
  let free = count;
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
