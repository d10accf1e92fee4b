// The documents of this page: what is uploaded, followed, remembered, opened and removed. Knows nothing of the DOM.

import { Problem, filesOf, hasKey, isZip, job, json, remove, requeue, upload, uploaded } from "./api.js";
import { Live, ended } from "./live.js";
import { lanes, persist } from "./patience.js";
import { Observable } from "./ui.js";

const REMEMBERED = "documents"; // in localStorage: ids and names, no texts
const MAX_REMEMBERED = 500;
const UPLOADS_AT_ONCE = 3;
const LISTED = 100; // asked of the server's list at a time
const MAX_LISTED = 1000;

/** States that a document has before the server knows it, or once it knows it no more; others are the job's own. */
export const OWN_STATES = ["held", "sending", "refused", "expired"];
/** States in which something is still to come. */
export const UNFINISHED = ["held", "sending", "queued", "processing"];

let keys = 0;

/** One document: a file on its way, or a job. */
class Document {
  constructor({ name, file = null, id = null, options = {}, status = "held", addedAt = Date.now() }) {
    this.key = `document-${(keys += 1)}`;
    Object.assign(this, { name, file, id, options, status, addedAt });
    this.sent = 0; // share of the file that is uploaded
    this.incomplete = []; // numbers of the pages of which text is missing, since there was too much of it
    this.listed = false; // known from the server's list only, which leaves out the text
    this.view = null; // the job as last seen, without its pages
    this.text = ""; // for the search
    this.problem = null; // why it was refused, or failed
    this.holdUp = null; // what it waits for
    this.abort = new AbortController();
  }

  get unfinished() {
    return UNFINISHED.includes(this.status);
  }

  /** Whether there is something to try again: of what was refused in a ZIP this browser has no file. */
  get repeatable() {
    return this.file !== null || this.id !== null;
  }
}

/** All of them, newest first; a change of any is a change of all. */
export class Documents extends Observable {
  all = [];
  link = "live";
  /** Whether the documents of earlier visits are found. */
  recalled = false;
  #upload = lanes(UPLOADS_AT_ONCE);
  #names = new Map(); // id -> [name, addedAt]
  #onNews;
  #live = new Live({
    onView: (view) => this.#seen(this.#of(view.id), view),
    onChange: (change) => this.#moved(this.#of(change.id), change),
    onProblem: (id, problem) => this.#failed(this.#of(id), problem),
    onLink: (state) => {
      this.link = state;
      this.changed();
    },
  });

  /** Tells `onNews(document)` when a document has ended, for those who do not look. */
  constructor(onNews) {
    super();
    this.#onNews = onNews;
  }

  /** Finds the documents of earlier visits: those of the key from the server, else those that this browser remembers. */
  async recall() {
    const remembered = JSON.parse(localStorage.getItem(REMEMBERED) ?? "[]");
    for (const { id, name, addedAt } of remembered) this.#names.set(id, [name, addedAt]);
    if (!hasKey() || !(await this.#list())) {
      this.#take(remembered.map((each) => new Document({ ...each, status: "queued" })));
    }
    this.recalled = true;
    this.changed();
  }

  /** Completes what the server's list left out of documents: their texts, and what is told of them. */
  async complete(documents) {
    const lacking = documents.filter((each) => each.listed);
    for (const each of lacking) each.listed = false;
    await Promise.all(lacking.map((each) => this.#upload(() => job(each.id)).then(
      ({ body }) => this.#seen(each, body),
      (problem) => this.#failed(each, problem),
    )));
  }

  /** Takes in a job that somebody has linked to. */
  join(id) {
    if (!this.#of(id)) this.#take([new Document({ id, name: id.slice(0, 8), status: "queued" })]);
  }

  /** Uploads files, in the order in which they are given; gives their documents. */
  add(files, options = {}) {
    const added = [...files].map((file) => new Document({ name: file.name, file, options }));
    this.all = [...added, ...this.all];
    for (const each of added) this.#send(each);
    this.changed();
    return added;
  }

  /** Tries again what was refused, and requeues what failed; with `options` the file is sent anew, the server's where there is no other. */
  async retry(document, options = null) {
    if (options) {
      try {
        document.file ??= new File([await uploaded(document.id)], document.name);
      } catch (problem) {
        ignoreProblem(problem);
        return this.#failed(document, problem);
      }
      const before = document.id;
      Object.assign(document, { id: null, view: null, options: { ...document.options, ...options } });
      await this.#send(document);
      // what it was sent anew for is nobody's dead letter any more
      if (before !== null && document.id !== null) await remove(before).catch(ignoreProblem);
      return;
    }
    if (document.status === "dead-letter") return this.#act(document, () => requeue(document.id));
    if (document.id !== null) return this.#follow(document);
    if (document.file !== null) await this.#send(document);
  }

  /** Reads the file of a document anew, as a document of its own; gives that. Raises Problem where the file is gone. */
  async readAgain({ file, id, name }, options) {
    const again = file ?? new File([await uploaded(id)], name);
    return this.add([again], options)[0];
  }

  /** Cancels an unfinished document on the server; it stays in the list. */
  async cancel(document) {
    if (document.id === null) {
      document.abort.abort();
      document.status = "cancelled";
      return this.changed();
    }
    await this.#act(document, () => remove(document.id));
  }

  /** Takes documents out of the list, and off the server where it erases what has ended. */
  async remove(documents) {
    this.all = this.all.filter((each) => !documents.includes(each));
    for (const each of documents) {
      each.abort.abort();
      if (each.id !== null) this.#live.leave(each.id);
    }
    this.#remember();
    this.changed();
    const known = documents.filter((each) => each.id !== null && each.status !== "expired");
    await Promise.all(known.map((each) => this.#upload(() => remove(each.id)).catch(ignoreProblem)));
  }

  #of(id) {
    return this.all.find((each) => each.id === id);
  }

  #take(documents) {
    const known = new Set(this.all.map((each) => each.id));
    const fresh = documents.filter((each) => !known.has(each.id));
    this.all = [...this.all, ...fresh].sort((one, other) => other.addedAt - one.addedAt);
    for (const each of fresh) if (!each.view) this.#follow(each);
    this.#remember();
    this.changed();
  }

  // Gives whether the server has a list.
  async #list() {
    try {
      let after = "";
      for (let listed = 0; after !== null && listed < MAX_LISTED; listed += LISTED) {
        const { body } = await json(`images?limit=${LISTED}${after && `&after=${encodeURIComponent(after)}`}`);
        this.#take(body.items.map((view) => this.#listed(view)));
        after = body.next;
      }
      return true;
    } catch (problem) {
      ignoreProblem(problem);
      return false;
    }
  }

  #listed(view) {
    const [name, addedAt] = this.#names.get(view.id) ?? [nameOf(view), Date.parse(view.created_at)];
    const document = new Document({ id: view.id, name, addedAt, status: view.status });
    if (ended(view.status)) this.#note(document, view);
    document.listed = document.status === "done";
    return document;
  }

  async #send(document) {
    document.abort = new AbortController();
    const { signal } = document.abort;
    Object.assign(document, { status: "held", problem: null, holdUp: null, sent: 0 });
    this.changed();
    const attempt = async () => {
      signal.throwIfAborted(); // cancelled while others were sent
      document.status = "sending";
      this.changed();
      const onProgress = (share) => {
        document.sent = share;
        this.changed();
      };
      return upload(document.file, { options: document.options, onProgress, signal });
    };
    const onWait = (problem) => {
      Object.assign(document, { status: "held", holdUp: problem });
      this.changed();
    };
    const mayPass = ({ status }) => status === 503 || status === 429 || status === 0;
    try {
      const view = await this.#upload(() => persist(attempt, { mayPass, onWait, signal }));
      if (isZip(document.file)) return this.#unpack(document, await filesOf(view, { signal }));
      Object.assign(document, { id: view.id, holdUp: null });
      this.#seen(document, view);
      this.#remember();
      this.#follow(document);
    } catch (problem) {
      if (signal.aborted) return;
      if (!(problem instanceof Problem)) throw problem;
      Object.assign(document, { status: "refused", problem, holdUp: null });
      this.#ended(document);
    }
  }

  // In place of a ZIP, what was in it.
  #unpack(zip, files) {
    const { addedAt, options } = zip;
    const found = files.map(({ name, job_id: id, problem }) => {
      const each = new Document({ name: name || zip.name, id, addedAt, options, status: id === null ? "refused" : "queued" });
      if (problem) each.problem = new Problem(problem.status, problem);
      return each;
    });
    found[0].key = zip.key; // it is open where the ZIP was
    this.all = this.all.flatMap((each) => (each === zip ? found : [each]));
    for (const each of found) if (each.id !== null) this.#follow(each);
    this.#remember();
    this.changed();
  }

  #follow(document) {
    if (!ended(document.status) || !document.view) this.#live.watch(document.id);
  }

  #seen(document, view) {
    if (!document) return;
    const before = document.status;
    this.#note(document, view);
    if (ended(view.status) && before !== view.status && !OWN_STATES.includes(before)) this.#ended(document);
    else this.changed();
  }

  // What was said of its place in the queue holds no longer.
  #moved(document, { status, pages_total, pages_done }) {
    if (!document || !document.unfinished) return;
    const { queue_position, eta_seconds, ...view } = document.view ?? {};
    Object.assign(document, { status, holdUp: null, view: { ...view, status, pages_total: pages_total || view.pages_total, pages_done } });
    this.changed();
  }

  #note(document, { pages, lines, text, ...view }) {
    document.status = view.status;
    document.holdUp = null;
    document.problem = view.error ? new Problem(200, view.error) : null;
    document.text = text ?? document.text;
    if (view.metadata?.file_name && document.name === document.id?.slice(0, 8)) document.name = view.metadata.file_name;
    if (!document.file && view.created_at) document.addedAt = Date.parse(view.created_at);
    document.view = { ...view, pages_total: view.pages_total ?? pages?.length ?? 0 };
    document.listed = false;
    document.unsure = (lines ?? []).filter((line) => line.low_confidence).length;
    document.count = lines?.length ?? 0;
    document.incomplete = (pages ?? []).filter((page) => page.truncated).map((page) => page.number);
  }

  #failed(document, problem) {
    if (!document) return;
    if (problem.passing) document.holdUp = problem;
    else if (problem.status === 410 || problem.status === 404) document.status = "expired";
    else Object.assign(document, { status: "refused", problem });
    this.changed();
  }

  #ended(document) {
    this.#onNews(document);
    this.changed();
  }

  async #act(document, action) {
    try {
      const { body } = await action();
      this.#seen(document, body);
      if (ended(document.status)) this.#live.leave(document.id);
      else this.#live.watch(document.id);
    } catch (problem) {
      ignoreProblem(problem);
      // of a job that has ended meanwhile the next look tells
      if (problem.code !== "already_ended") document.holdUp = problem;
      this.#live.watch(document.id);
      this.changed();
    }
  }

  #remember() {
    const known = this.all.filter((each) => each.id !== null && each.status !== "expired").slice(0, MAX_REMEMBERED);
    localStorage.setItem(REMEMBERED, JSON.stringify(known.map(({ id, name, addedAt }) => ({ id, name, addedAt }))));
  }
}

const nameOf = (view) => view.metadata?.file_name || view.id.slice(0, 8);

function ignoreProblem(problem) {
  if (!(problem instanceof Problem)) throw problem;
}

/** The documents that a search and a state leave: words in name or text, "all" or a state's group. */
export function chosen(documents, { search, state }) {
  const wanted = search.trim().toLocaleLowerCase();
  return documents.filter((each) => {
    if (state === "unfinished" && !each.unfinished) return false;
    if (state === "done" && each.status !== "done") return false;
    if (state === "failed" && !["dead-letter", "refused"].includes(each.status)) return false;
    return !wanted || `${each.name}\n${each.text}`.toLocaleLowerCase().includes(wanted);
  });
}

/** A job's page with its words, or null where it cannot be had (yet). */
export async function readPage(id, number, signal) {
  try {
    const { body } = await json(`images/${encodeURIComponent(id)}/result?format=json&pages=${number}`, { signal });
    return body.pages[0] ?? null;
  } catch (problem) {
    if (!(problem instanceof Problem) || problem.status !== 409) throw problem;
    return null;
  }
}
