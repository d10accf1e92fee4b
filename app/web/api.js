// The HTTP contract as the page sees it. Knows nothing of the DOM; every call takes a `signal`.

const KEY = "api-key";

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
let declined = false;

/** Sets how a key is asked for: an async function (wasRefused) that gives the key, or null. */
export function onKeyWanted(ask) {
  askForKey = ask;
}

/** Whether a key is in use in this tab. */
export const hasKey = () => sessionStorage.getItem(KEY) !== null;

/** Asks for a key anew the next time that one is wanted, though it was declined before. */
export function allowAsking() {
  declined = false;
}

/** Whether a file is one of many others. */
export const isZip = ({ name, type }) => /\.zip$/i.test(name) || ["application/zip", "application/x-zip-compressed"].includes(type);

/**
 * Sends a file, telling `onProgress(share)`; gives the job's first view, of a ZIP that of the batch. `options` are fields
 * of the form.
 */
export async function upload(file, { options = {}, onProgress, signal }) {
  const body = new FormData();
  body.append("metadata", JSON.stringify({ file_name: file.name })); // so that it has its name in other browsers, too
  for (const [name, value] of Object.entries(options)) body.append(name, value);
  body.append("file", file, file.name);
  return (await withKey((headers) => post(isZip(file) ? "batches" : "images", body, { headers, onProgress, signal }))).body;
}

/** The files of a batch, of which `view` has the first ones. */
export async function filesOf({ id, files, next }, { signal } = {}) {
  const all = [...files];
  while (next !== null) {
    const { body } = await json(`batches/${encodeURIComponent(id)}?limit=1000&after=${next}`, { signal });
    all.push(...body.files);
    next = body.next;
  }
  return all;
}

/** A job as it stands: `{ body, retryAfter }`. `detail` is "lines" or "words". */
export const job = (id, { detail = "lines", signal } = {}) => json(`${path(id)}?detail=${detail}`, { signal });

/** Cancels a job that has not ended, or erases one that has. */
export const remove = (id, { signal } = {}) => json(path(id), { method: "DELETE", signal });

/** Puts a dead letter into the queue again. */
export const requeue = (id, { signal } = {}) =>
  json(`dead-letters/${encodeURIComponent(id)}/requeue`, { method: "POST", signal });

/** A result in one of the formats of `/capabilities`, as a Blob. */
export const result = (id, format, { signal } = {}) => blob(`${path(id)}/result?format=${format}`, { signal });

/** The file of a job, for as long as it is kept, as a Blob. */
export const uploaded = (id, { signal } = {}) => blob(`${path(id)}/file`, { signal });

/** The picture of a page, some `width` pixels wide, as a Blob. */
export const pageImage = (id, number, width, { signal } = {}) =>
  blob(`${path(id)}/pages/${number}/image?width=${width}`, { signal });

/** Any JSON of the service: `{ body, retryAfter }`. `accepts` are statuses that are answers though they look like errors. */
export async function json(address, { accepts = [], ...options } = {}) {
  return read(await withKey((headers) => send(address, { ...options, headers })), accepts);
}

/** Any text of the service. */
export async function text(address, options = {}) {
  const response = await withKey((headers) => send(address, { ...options, headers }));
  if (!response.ok) await read(response);
  return response.text();
}

/** A stream of server-sent events: the response, whose body is to be read. */
export async function stream(address, { lastEventId, signal }) {
  const last = lastEventId ? { "Last-Event-ID": lastEventId } : {};
  const response = await withKey((headers) =>
    send(address, { signal, headers: { ...headers, ...last, Accept: "text/event-stream" } }));
  if (!response.ok) await read(response);
  return response;
}

async function blob(address, options) {
  const response = await withKey((headers) => send(address, { ...options, headers }));
  if (!response.ok) await read(response);
  return response.blob();
}

const path = (id) => `images/${encodeURIComponent(id)}`;

// Repeats a request with the key that a person gives, for as long as one is given.
async function withKey(attempt) {
  for (;;) {
    const key = sessionStorage.getItem(KEY);
    const response = await attempt(key ? { "X-API-Key": key } : {});
    if (response.status !== 401) return response;
    // another request may have brought a new key meanwhile
    if (sessionStorage.getItem(KEY) === key && !(await wantKey(key !== null))) return response;
  }
}

// However many requests are refused at once, a person is asked once, and after a "no" not again by itself.
function wantKey(wasRefused) {
  if (declined) return Promise.resolve(false);
  asking ??= askForKey(wasRefused).then((key) => {
    asking = null;
    declined = !key;
    if (key) sessionStorage.setItem(KEY, key);
    return Boolean(key);
  });
  return asking;
}

async function send(address, options) {
  try {
    return await fetch(address, options);
  } catch (error) {
    if (error.name === "AbortError" || options.signal?.aborted) throw error;
    throw new Problem(0, { code: "unreachable" });
  }
}

async function read(response, accepts = []) {
  const body = await response.json().catch(() => ({}));
  const retryAfter = seconds(response.headers.get("Retry-After"));
  if (!response.ok && !accepts.includes(response.status)) throw new Problem(response.status, body, retryAfter);
  return { body, retryAfter, status: response.status };
}

// XMLHttpRequest, since fetch does not tell how much of a body is sent. Gives what `read` gives, and throws as it does.
function post(address, body, { headers, onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => {
      request.abort();
      reject(signal.reason);
    };
    request.open("POST", address);
    request.responseType = "json";
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
    request.onloadend = () => {
      signal.removeEventListener("abort", stop);
      const { status } = request;
      if (status === 401) resolve({ status });
      else if (status >= 200 && status < 300) resolve({ status, body: request.response });
      else if (status === 0) reject(new Problem(0, { code: "unreachable" }));
      else reject(new Problem(status, request.response ?? {}, seconds(request.getResponseHeader("Retry-After"))));
    };
    signal.addEventListener("abort", stop, { once: true });
    request.send(body);
  }).then((answer) => {
    if (answer.status === 401 && declined) throw new Problem(401, { code: "unauthorized" });
    return answer;
  });
}

// Retry-After is a number of seconds or a date (RFC 9110, 10.2.3).
function seconds(header) {
  if (header === null) return null;
  const value = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isNaN(value) ? null : Math.max(0.2, value);
}
