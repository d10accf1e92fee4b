// One document: its pages, each as a picture beside its text, and what can be done with it.

import { pageImage, result } from "../api.js";
import { copy, renamed, save } from "../clipboard.js";
import { readPage } from "../documents.js";
import { html, useEffect, useMemo, useRef, useState } from "../ui.js";
import { duration, explain, forOperators, named, number, percent, series, state, t } from "../words.js";
import { Reading, textOf } from "./reading.js";
import { Stage } from "./stage.js";

const SHOWN_BY_BROWSERS = ["image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp", "image/avif"];
const PICTURE_WIDTH = 1600; // pixels asked of the server: sharp on most screens, some 300 kB
const THUMBNAIL_WIDTH = 120;
const NOBODY = { index: -1, scroll: false };
const DEFAULT_THRESHOLD = 0.8;

/** The open document. `formats` and `languages` are those of `/capabilities`; `onOpen` opens another one. Tells `say(sentence)` what happened. */
export function OpenDocument({ document: item, documents, formats, languages, onOpen, say, onBack }) {
  const [at, setAt] = useState(1);
  const [mode, setMode] = useState("lines");
  const [threshold, setThreshold] = useState(DEFAULT_THRESHOLD);
  const [active, setActive] = useState(NOBODY);
  const [upright, setUpright] = useState(true);
  const [area, setArea] = useState(false);
  const [search, setSearch] = useState("");
  const total = item.view?.pages_total || 1;
  const page = usePage(item, at);
  const picture = usePicture(item, at, page, PICTURE_WIDTH);
  const marked = useMemo(() => linesWith(page, search), [page, search]);

  useEffect(() => { documents.complete([item]); }, [item.key]);
  useEffect(() => { setAt(1); setSearch(""); setArea(false); }, [item.key]);
  useEffect(() => setActive(NOBODY), [item.key, at]);

  const onCopy = async (text, rows) => say((await copy(text, rows)) ? t.copied : t.copyFailed, "toast");
  const point = (index, scroll = false) => setActive({ index, scroll });
  const onArea = (indices) => {
    setArea(false);
    if (indices.length) onCopy(indices.map((index) => page.lines[index].text).join("\n"));
  };
  const go = (target) => setAt(Math.min(total, Math.max(1, target)));

  return html`
    <article class="document" aria-labelledby="document-name">
      <header class="bar">
        <button type="button" class="quiet back" onClick=${onBack}><span aria-hidden="true">‹</span> ${t.documents}</button>
        <h2 id="document-name" tabindex="-1">${item.name}</h2>
        <${Actions} ...${{ item, documents, formats, languages, onOpen, onCopy, say }} />
      </header>
      <${Facts} item=${item} onRetry=${(options) => documents.retry(item, options)} />
      ${item.view && (page || item.status === "done") && html`
        <div class="bar tools">
          ${total > 1 && html`<${Pager} ...${{ at, total, go }} />`}
          <${Find} ...${{ item, page, at, go, search, setSearch, marked, active, point }} />
          <label class="threshold"><span>${t.threshold} <output>${percent(threshold)}</output></span>
            <input type="range" min="0.5" max="0.99" step="0.01" value=${threshold}
                   onInput=${(event) => setThreshold(Number(event.target.value))} /></label>
          <span class="legend hint"><i class="sure"></i>${t.legendSure} <i class="unsure"></i>${t.legendUnsure}</span>
          <button type="button" aria-pressed=${area ? "true" : "false"} title=${t.areaHint}
                  onClick=${() => setArea(!area)}>${t.area}</button>
          ${page?.rotation ? html`<button type="button" aria-pressed=${upright ? "true" : "false"}
                  onClick=${() => setUpright(!upright)}>${t.upright}</button>` : null}
        </div>`}
      <div class=${`sheet ${total > 1 ? "many" : ""}`}>
        ${total > 1 && html`<${Thumbnails} ...${{ item, total, at, go }} />`}
        ${!page && item.unfinished && picture && html`<div class="picture"><img class="preview" src=${picture} alt="" /></div>`}
        ${page === null && item.view && html`<p class="hint waiting">${item.unfinished ? t.notReadYet : ""}</p>`}
        ${page && html`
          <div class="picture"><${Stage} key=${`${item.key}-${at}`}
            ...${{ page, picture, active, marked, threshold, upright, area, onArea }}
            onActive=${(index) => index !== active.index && point(index, index >= 0 ? "list" : false)} /></div>
          <section class="reading" aria-label=${t.asText}>
            <div class="tabs" role="tablist">${[["lines", t.asLines], ["text", t.asText], ["tables", t.asTables]].map(([name, label]) => html`
              <button type="button" role="tab" aria-selected=${mode === name ? "true" : "false"}
                      onClick=${() => setMode(name)}>${label}</button>`)}
              ${mode === "lines" && active.index >= 0 && html`<button type="button" class="quiet"
                onClick=${() => onCopy(page.lines[active.index].text)}>${t.copyLine}</button>`}</div>
            ${page.warnings?.includes("damaged") && html`<p class="notice">${t.damaged}</p>`}
            ${page.warnings?.includes("mirrored") && html`<p class="notice">${t.mirrored}</p>`}
            ${page.warnings?.includes("unsupported_script") && html`<p class="notice">${t.unsupported}</p>`}
            <${Reading} ...${{ page, mode, active, marked, threshold, onCopy }}
              onActive=${(index, scroll) => point(index, scroll ?? false)} />
          </section>`}
      </div>
    </article>`;
}

function Actions({ item, documents, formats, languages, onOpen, onCopy, say }) {
  const readAgain = async (event) => {
    const [name, value] = event.target.value.split("=");
    event.target.value = "";
    try {
      onOpen(await documents.readAgain(item, { [name]: value }));
    } catch (problem) {
      say(explain(problem), "toast");
    }
  };
  const download = async (event) => {
    const format = formats.find((each) => each.name === event.target.value);
    event.target.value = "";
    try {
      save(await result(item.id, format.name), renamed(item.name, format.suffix));
    } catch (problem) {
      say(explain(problem), "toast");
    }
  };
  return html`
    ${item.unfinished && html`<button type="button" onClick=${() => documents.cancel(item)}>${t.cancel}</button>`}
    ${item.status === "done" && html`
      <button type="button" class="primary" onClick=${() => onCopy(item.text)}>${t.copy}</button>
      <label><span class="visually-hidden">${t.downloadAs}</span>
        <select onChange=${download} value="">
          <option value="" disabled hidden>${t.downloadAs}</option>
          ${formats.map(({ name, suffix, about }) => html`<option value=${name} title=${about}>${name} (${suffix})</option>`)}
        </select></label>`}
    ${!item.unfinished && item.view && (item.file || item.view.upload_until || item.status === "dead-letter") && html`
      <label><span class="visually-hidden">${t.readAgain}</span>
        <select onChange=${readAgain} value="">
          <option value="" disabled hidden>${t.readAgain}</option>
          ${[90, 180, 270].map((degrees) => html`<option value=${`rotate=${degrees}`}>${t.turned(degrees)}</option>`)}
          <optgroup label=${t.inLanguage}>
            ${named(languages).map(([tag, name]) => html`<option value=${`language=${tag}`}>${name}</option>`)}
          </optgroup>
        </select></label>`}`;
}

function Facts({ item, onRetry }) {
  const { view } = item;
  const facts = [];
  if (item.status === "done" && !item.listed) {
    facts.push(t.pages(view.pages_total), t.lines(item.count), t.sure(percent(view.confidence)), duration(view.processing_time));
    if (item.unsure) facts.push(t.unsureLines(item.unsure));
  } else if (item.status === "sending" && item.sent > 0) {
    facts.push(percent(item.sent));
  } else if (view && item.unfinished) {
    if (view.pages_total > 1) facts.push(t.pagesRead(view.pages_done ?? 0, view.pages_total));
    if (view.queue_position > 1) facts.push(t.position(view.queue_position - 1));
    if (view.eta_seconds > 0) facts.push(t.eta(duration(view.eta_seconds)));
  }
  const trouble = item.problem ?? (item.unfinished ? item.holdUp : null);
  const locked = trouble?.code === "password_required" && (item.file || item.id);
  return html`
    <p class="facts"><span class="pill" data-status=${item.status}>${state(item.status)}</span> ${facts.join(" · ")}</p>
    ${item.status === "sending" && html`<progress value=${item.sent} max="1" aria-label=${state("sending")}></progress>`}
    ${item.status === "processing" && view?.pages_total > 1 && html`
      <progress value=${view.pages_done ?? 0} max=${view.pages_total} aria-label=${state("processing")}></progress>`}
    ${view?.failed_pages?.length > 0 && html`<p class="notice">${t.failedPages(series(view.failed_pages))}</p>`}
    ${item.incomplete.length > 0 && html`<p class="notice">${t.incomplete(series(item.incomplete))}</p>`}
    ${item.status === "expired" && html`
      <div class="notice">
        <p>${t.expiredHint}</p>
        ${item.file && html`<button type="button" onClick=${() => onRetry({})}>${t.readAgain}</button>`}
      </div>`}
    ${trouble && html`
      <div class="notice" role="alert">
        <p>${trouble === item.holdUp && trouble.status === 0 ? t.offline : explain(trouble)}</p>
        <p class="hint">${forOperators(trouble)}</p>
        ${locked && html`<${Password} onGiven=${(password) => onRetry({ password })} />`}
        ${!item.unfinished && !locked && item.repeatable && html`<button type="button" onClick=${() => onRetry()}>${t.retry}</button>`}
      </div>`}`;
}

function Password({ onGiven }) {
  const input = useRef(null);
  const submit = (event) => {
    event.preventDefault();
    onGiven(input.current.value);
  };
  return html`
    <form class="bar" onSubmit=${submit}>
      <label>${t.password} <input ref=${input} type="password" autocomplete="off" required /></label>
      <button class="primary">${t.open}</button>
    </form>`;
}

function Pager({ at, total, go }) {
  const field = useRef(null);
  // only when the page has changed: what is being typed would be taken back by whatever else is drawn anew meanwhile
  useEffect(() => {
    field.current.value = at;
  }, [at]);
  return html`
    <span class="pager">
      <button type="button" aria-label=${t.previousPage} aria-disabled=${at === 1 ? "true" : "false"} onClick=${() => go(at - 1)}>‹</button>
      <label><span class="visually-hidden">${t.page(at, total)}</span>
        <input type="number" min="1" max=${total} ref=${field} onChange=${(event) => go(Number(event.target.value) || at)} /></label>
      <span role="status" aria-live="polite">/ ${number(total)}</span>
      <button type="button" aria-label=${t.nextPage} aria-disabled=${at === total ? "true" : "false"} onClick=${() => go(at + 1)}>›</button>
    </span>`;
}

// The next hit on this page, else on the next page whose text has one.
function Find({ item, page, at, go, search, setSearch, marked, active, point }) {
  const hits = [...marked];
  const texts = item.text.split("\f");
  const onward = (step) => {
    if (!search.trim()) return;
    const place = hits.indexOf(active.index);
    const next = place < 0 ? (step > 0 ? 0 : hits.length - 1) : place + step;
    if (hits[next] !== undefined) return point(hits[next], true);
    const order = Array.from(texts, (_, index) => ((at - 1 + step * (index + 1) + texts.length * 2) % texts.length) + 1);
    const other = order.find((number) => texts[number - 1]?.toLocaleLowerCase().includes(search.toLocaleLowerCase()));
    if (other && other !== at) go(other);
    else if (hits.length) point(hits[step > 0 ? 0 : hits.length - 1], true);
  };
  const input = (event) => setSearch(event.target.value);
  const keys = (event) => event.key === "Enter" && (event.preventDefault(), onward(event.shiftKey ? -1 : 1));
  return html`
    <label class="find"><span class="visually-hidden">${t.find}</span>
      <input type="search" placeholder=${t.find} value=${search} onInput=${input} onKeyDown=${keys} />
      <span class="hint" role="status">${search && (hits.length ? t.found(Math.max(1, hits.indexOf(active.index) + 1), hits.length) : page && t.notFound)}</span>
    </label>`;
}

function Thumbnails({ item, total, at, go }) {
  const strip = useRef(null);
  useEffect(() => strip.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" }), [at]);
  return html`
    <ol class="thumbnails" ref=${strip}>
      ${Array.from({ length: total }, (_, index) => html`<${Thumbnail} key=${`${item.key}-${index}`}
        ...${{ item, number: index + 1, current: index + 1 === at, go }} />`)}
    </ol>`;
}

// Its picture is asked for when it comes into view, and not before.
function Thumbnail({ item, number: page, current, go }) {
  const [seen, setSeen] = useState(false);
  const box = useRef(null);
  useEffect(() => {
    const watch = new IntersectionObserver(([entry]) => entry.isIntersecting && (setSeen(true), watch.disconnect()));
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  const picture = useServedPicture(seen && !item.unfinished ? item : null, page, THUMBNAIL_WIDTH);
  const failed = item.view?.failed_pages?.includes(page);
  return html`
    <li ref=${box}><button type="button" class=${failed ? "failed" : ""} aria-current=${current ? "page" : undefined} onClick=${() => go(page)}>
      ${picture ? html`<img src=${picture} alt="" />` : null}<span>${number(page)}</span></button></li>`;
}

function linesWith(page, search) {
  const wanted = search.trim().toLocaleLowerCase();
  if (!page || !wanted) return new Set();
  return new Set(page.lines.flatMap((line, index) => (line.text.toLocaleLowerCase().includes(wanted) ? [index] : [])));
}

// A page with its words; null while it is not read. Looked for anew whenever the job has come further.
function usePage(item, at) {
  const [found, setFound] = useState({ of: "", page: null });
  const name = `${item.key}-${at}`;
  const progress = `${item.status}-${item.view?.pages_done ?? ""}`;
  useEffect(() => {
    const begun = item.status === "done" || item.view?.pages_done > 0;
    if (!item.id || !begun || (found.of === name && found.page)) return undefined;
    const abort = new AbortController();
    readPage(item.id, at, abort.signal).then(
      (page) => setFound({ of: name, page }),
      () => {}, // the list tells what is wrong with the job
    );
    return () => abort.abort();
  }, [name, item.id, progress]);
  return found.of === name ? found.page : null;
}

// The file itself where the browser shows it, the server's picture of the page elsewhere. null: neither.
function usePicture(item, at, page, width) {
  const own = useMemo(() => {
    const shown = item.file && at === 1 && SHOWN_BY_BROWSERS.includes(item.file.type);
    return shown ? URL.createObjectURL(item.file) : null;
  }, [item.key, at]);
  useEffect(() => () => own && URL.revokeObjectURL(own), [own]);
  const served = useServedPicture(own || !page ? null : item, at, width);
  return own ?? served;
}

function useServedPicture(item, number, width) {
  const [found, setFound] = useState({ of: "", url: null });
  const name = item?.id ? `${item.id}-${number}-${width}` : "";
  useEffect(() => {
    if (!name) return undefined;
    const abort = new AbortController();
    let url = null;
    pageImage(item.id, number, width, abort).then((blob) => {
      url = URL.createObjectURL(blob);
      setFound({ of: name, url });
    }, () => {}); // expired, or a service that keeps none: the text stands on an empty sheet
    return () => {
      abort.abort();
      if (url) URL.revokeObjectURL(url);
    };
  }, [name]);
  return found.of === name ? found.url : null;
}
