// The list of documents: search, filter, select many.

import { downloadZip } from "../vendor/client-zip/index.js";
import { result } from "../api.js";
import { renamed, save } from "../clipboard.js";
import { chosen } from "../documents.js";
import { html, useState } from "../ui.js";
import { duration, explain, moment, state, t } from "../words.js";

/** Tells `onOpen(document)`, `onRemove(documents)`. */
export function List({ documents, open, onOpen, onRemove, say }) {
  const [search, setSearch] = useState("");
  const [filter, setFilter] = useState("all");
  const [selected, setSelected] = useState(new Set());
  const shown = chosen(documents.all, { search, state: filter });
  const taken = documents.all.filter((each) => selected.has(each.key));
  const toggle = (key) => setSelected((before) => {
    const after = new Set(before);
    if (!after.delete(key)) after.add(key);
    return after;
  });
  const find = (event) => {
    setSearch(event.target.value);
    documents.complete(documents.all);
  };
  const all = () => setSelected(taken.length === shown.length ? new Set() : new Set(shown.map((each) => each.key)));
  return html`
    <div class="list">
      <div class="bar filters">
        <label><span class="visually-hidden">${t.search}</span>
          <input type="search" placeholder=${t.search} value=${search} onInput=${find} /></label>
        <label><span class="visually-hidden">${t.filter}</span>
          <select value=${filter} onChange=${(event) => setFilter(event.target.value)}>
            ${["all", "unfinished", "done", "failed"].map((name) => html`<option value=${name}>${t[name]}</option>`)}
          </select></label>
      </div>
      <div class="bar selection">
        <label class="choice"><input type="checkbox" checked=${taken.length > 0 && taken.length === shown.length} onChange=${all} />
          ${taken.length ? t.selected(taken.length) : t.selectAll}</label>
        ${taken.length > 0 && html`<${Many} ...${{ taken, documents, say, onRemove }} />`}
      </div>
      <ul class="items">
        ${shown.map((item) => html`<${Item} key=${item.key} ...${{ item, chosen: selected.has(item.key), toggle, onOpen }}
          current=${item === open} />`)}
      </ul>
      ${shown.length === 0 && html`<p class="hint empty">${t.noMatch}</p>`}
    </div>`;
}

function Many({ taken, documents, say, onRemove }) {
  const done = taken.filter((each) => each.status === "done");
  const unfinished = taken.filter((each) => each.unfinished);
  const failed = taken.filter((each) => ["dead-letter", "refused"].includes(each.status) && each.repeatable);
  return html`
    ${done.length > 0 && html`<button type="button" onClick=${() => saveAll(done).catch((problem) => say(explain(problem), "toast"))}>${t.download}</button>`}
    ${unfinished.length > 0 && html`<button type="button" onClick=${() => unfinished.forEach((each) => documents.cancel(each))}>${t.cancel}</button>`}
    ${failed.length > 0 && html`<button type="button" onClick=${() => failed.forEach((each) => documents.retry(each))}>${t.retry}</button>`}
    <button type="button" onClick=${() => onRemove(taken)}>${t.remove}</button>`;
}

function Item({ item, chosen: isChosen, toggle, current, onOpen }) {
  return html`
    <li class=${current ? "current" : ""}>
      <input type="checkbox" checked=${isChosen} aria-label=${t.select(item.name)} onChange=${() => toggle(item.key)} />
      <a href=${item.id ? `#/${item.id}` : "#/"} aria-current=${current ? "true" : undefined}
         onClick=${(event) => { if (!event.ctrlKey && !event.metaKey) { event.preventDefault(); onOpen(item); } }}>
        <span class="name">${item.name}</span>
        <span class="facts"><span class="pill" data-status=${item.status}>${state(item.status)}</span> ${facts(item)}</span>
        ${item.status === "sending" && html`<progress value=${item.sent} max="1" aria-label=${state("sending")}></progress>`}
        ${item.status === "processing" && item.view.pages_total > 1 && html`
          <progress value=${item.view.pages_done ?? 0} max=${item.view.pages_total} aria-label=${state("processing")}></progress>`}
      </a>
    </li>`;
}

function facts(item) {
  if (item.problem) return explain(item.problem);
  if (item.holdUp) return explain(item.holdUp);
  const { view } = item;
  if (!view) return "";
  const many = view.pages_total > 1;
  if (item.status === "done") return [many && t.pages(view.pages_total), !item.listed && t.lines(item.count), item.unsure > 0 && t.unsureLines(item.unsure), moment(item.addedAt)].filter(Boolean).join(" · ");
  if (!item.unfinished) return moment(item.addedAt);
  return [
    many && t.pagesRead(view.pages_done ?? 0, view.pages_total),
    view.queue_position > 1 && t.position(view.queue_position - 1),
    view.eta_seconds > 0 && t.eta(duration(view.eta_seconds)),
  ].filter(Boolean).join(" · ");
}

// One ZIP with a text for each document, fetched while it is written.
async function saveAll(documents) {
  const used = new Map();
  const named = (name) => {
    const count = used.get(name) ?? 0;
    used.set(name, count + 1);
    return count ? renamed(name, ` (${count + 1}).txt`) : name;
  };
  async function* files() {
    for (const each of documents) yield { name: named(renamed(each.name, ".txt")), input: await result(each.id, "text") };
  }
  save(await downloadZip(files()).blob(), "texts.zip");
}
