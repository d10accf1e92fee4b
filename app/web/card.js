// One upload on the page, from the choice of a file to its text.

import { Problem, follow, submit, cancel } from "./api.js";
import { showPage } from "./overlay.js";
import { count, duration, explain, forOperators, incomplete, percent, state } from "./words.js";

/** A card for one image. `name` is the file's; `file` is null for a job of an earlier visit; tells `onNews(sentence)`. */
export class Card {
  #abort = new AbortController();
  #urls = [];
  #picture = null;
  #find;

  constructor({ name, file = null, id = null, onNews, onChange, onRemove }) {
    Object.assign(this, { name, file, id, onNews, onChange });
    this.element = document.querySelector("#card").content.firstElementChild.cloneNode(true);
    this.#find = (selector) => this.element.querySelector(selector);
    this.#find(".name").textContent = name;
    this.#find(".remove").onclick = () => {
      this.#leave();
      onRemove(this);
    };
    this.#find(".cancel").onclick = () => this.#cancel();
    this.#find(".again").onclick = () => this.run();
    this.#picture = file && this.#url(file);
  }

  /** Sends the file where that was not done yet, and follows the job to its end. Never throws. */
  async run() {
    const { signal } = this.#abort;
    const onWait = (problem) => this.#status("held", explain(problem));
    this.#find(".trouble").hidden = true;
    try {
      if (this.id === null) {
        this.#status("held");
        const view = await submit(this.file, { onSend: () => this.#status("sending"), onWait, signal });
        this.id = view.id;
        this.onChange(this);
      }
      const view = await follow(this.id, { onView: (seen) => this.#status(seen.status), onWait, signal });
      if (view.status === "done") this.#done(view);
      else if (view.status === "cancelled") this.#cancelled();
      else this.#trouble(view.status, new Problem(200, view.error));
    } catch (problem) {
      if (signal.aborted) return;
      if (!(problem instanceof Problem)) throw problem;
      this.#trouble("refused", problem);
    }
  }

  async #cancel() {
    const button = this.#find(".cancel");
    if (rests(button)) return;
    rest(button, true);
    try {
      await cancel(this.id, this.#abort);
      this.#abort.abort(); // nothing is left to follow
      this.#find(".remove").focus();
      this.#cancelled();
    } catch (problem) {
      if (this.#abort.signal.aborted) return;
      if (!(problem instanceof Problem)) throw problem;
      rest(button, false);
      // of a job that has ended, run() tells how
      if (problem.code !== "already_ended") this.#find(".facts").textContent = explain(problem);
    }
  }

  #status(name, note = "") {
    this.element.dataset.status = name;
    this.#find(".pill").textContent = state(name);
    this.#find(".facts").textContent = note;
    this.#find(".cancel").hidden = !["queued", "processing"].includes(name);
    this.#find(".progress").hidden = !["sending", "held", "queued", "processing"].includes(name);
  }

  #cancelled() {
    this.#status("cancelled");
    this.onNews(`${this.name}: ${state("cancelled")}.`);
  }

  #trouble(status, error) {
    this.#status(status);
    this.#find(".what").textContent = explain(error);
    this.#find(".detail").textContent = forOperators(error);
    this.#find(".again").hidden = !error.curable;
    this.#find(".trouble").hidden = false;
    this.onNews(`${this.name}: ${state(status)}. ${explain(error)}`);
  }

  #done(view) {
    const lines = view.pages.flatMap((page) => page.lines);
    const facts = [count(lines.length, "line"), duration(view.processing_time)];
    if (lines.length > 0) facts.splice(1, 0, `${percent(view.confidence)} sure`);
    this.#status("done", facts.join(" · "));
    this.#find(".copy").onclick = () => this.#copy(view.text);
    this.#find(".copy").hidden = view.text === "";
    this.#offer(".save-text", "txt", new Blob([view.text, "\n"], { type: "text/plain" }));
    this.#offer(".save-json", "json", new Blob([JSON.stringify(view, null, 2)], { type: "application/json" }));
    this.#page(view.pages, 0);
    const missing = incomplete(view.pages);
    this.#find(".cut").textContent = missing;
    this.#find(".cut").hidden = missing === "";
    this.#find(".result").hidden = false;
    this.onNews(`${this.name}: ${facts.join(", ")}. ${missing}`);
  }

  async #copy(text) {
    const button = this.#find(".copy");
    if (rests(button)) return;
    rest(button, true);
    const copied = await copy(text);
    this.#find(".uncopied").hidden = copied;
    this.onNews(copied ? "Copied." : this.#find(".uncopied").textContent);
    if (copied) await flash(button, "Copied");
    rest(button, false);
  }

  #page(pages, index) {
    const turn = (selector, target) => {
      const button = this.#find(selector);
      rest(button, !pages[target]);
      button.onclick = () => rests(button) || this.#page(pages, target);
    };
    this.#find(".pager").hidden = pages.length < 2;
    this.#find(".page-number").textContent = `Page ${index + 1} of ${pages.length}`;
    turn(".previous", index - 1);
    turn(".next", index + 1);
    showPage(this.#find(".sheet"), pages[index], index === 0 ? this.#picture : null);
  }

  #offer(selector, extension, blob) {
    const link = this.#find(selector);
    link.href = this.#url(blob);
    link.download = `${this.name.replace(/\.[^.]*$/, "")}.${extension}`;
  }

  #url(blob) {
    const url = URL.createObjectURL(blob);
    this.#urls.push(url);
    return url;
  }

  #leave() {
    this.#abort.abort();
    this.#urls.forEach((url) => URL.revokeObjectURL(url));
    this.element.remove();
  }
}

// Not `disabled`: a button that has the focus would lose it, and a person with a keyboard the place on the page.
function rest(button, resting) {
  button.setAttribute("aria-disabled", resting);
}

const rests = (button) => button.getAttribute("aria-disabled") === "true";

// Shows a word on a button for a moment.
async function flash(button, word) {
  const label = button.textContent;
  button.textContent = word;
  await new Promise((resolve) => setTimeout(resolve, 1500));
  button.textContent = label;
}

/** Puts text on the clipboard; gives whether that went through. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // none for pages from plain http, except on localhost, nor where it is denied
    return copyWithoutClipboard(text);
  }
}

function copyWithoutClipboard(text) {
  const focused = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  focused.focus();
  return copied;
}
