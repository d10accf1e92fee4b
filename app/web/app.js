// The page: a reading room for documents, and at /operations the control room behind it.

import { allowAsking, json, onKeyWanted } from "./api.js";
import { Documents } from "./documents.js";
import { html, render, useChanges, useEffect, useRef, useState } from "./ui.js";
import { explain, language, state, t } from "./words.js";
import { takeShared } from "./sharing.js";
import { Intake } from "./views/intake.js";
import { List } from "./views/list.js";
import { OpenDocument } from "./views/document.js";
import { Operations } from "./views/operations.js";

const TOAST_SECONDS = 4;
const FORMATS_BEFORE_KNOWN = [{ name: "text", suffix: ".txt", about: "" }, { name: "json", suffix: ".json", about: "" }];

let announce = () => {};
const documents = new Documents((item) =>
  announce(`${item.name}: ${state(item.status)}.${item.problem ? ` ${explain(item.problem)}` : ""}`));

function Page() {
  useChanges(documents);
  const [openKey, setOpenKey] = useState(null);
  const [capabilities, setCapabilities] = useState(null);
  const [operations, setOperations] = useState(atOperations());
  const [told, setTold] = useState("");
  const [toast, setToast] = useState("");
  const [asked, setAsked] = useState(null); // documents whose removal is to be confirmed
  const [key, setKey] = useState(null); // { wasRefused, resolve }

  announce = setTold;
  const say = (sentence, kind) => {
    setTold(sentence);
    if (kind === "toast") setToast(sentence);
  };
  useEffect(() => {
    if (!toast) return undefined;
    const timer = setTimeout(() => setToast(""), TOAST_SECONDS * 1000);
    return () => clearTimeout(timer);
  }, [toast]);
  useEffect(() => {
    onKeyWanted((wasRefused) => new Promise((resolve) => setKey({ wasRefused, resolve })));
    json("capabilities").then(({ body }) => setCapabilities(body), () => {}).then(() => documents.recall()).then(() => takeShared(add));
    const moved = () => setOperations(atOperations());
    addEventListener("popstate", moved);
    return () => removeEventListener("popstate", moved);
  }, []);
  useHash(openKey, setOpenKey);

  const open = documents.all.find((each) => each.key === openKey) ?? null;
  const show = (item) => {
    setOpenKey(item?.key ?? null);
    const address = item?.id ? `#/${item.id}` : "#/";
    if (address !== (location.hash || "#/")) history.pushState(null, "", address); // so that Back leads to the list
  };
  const add = (files) => {
    if (!files.length) return;
    allowAsking();
    const added = documents.add(files);
    if (!open || added.length === 1) setOpenKey(added[0].key);
  };
  const sample = async () => {
    const answer = await fetch("static/sample.jpg").catch(() => null);
    if (!answer?.ok) return say(t.offline, "toast");
    add([new File([await answer.blob()], "sample.jpg", { type: "image/jpeg" })]);
  };
  const remove = (items) => {
    if (items.includes(open)) show(null);
    documents.remove(items);
    setAsked(null);
  };
  // where the focus was on something that is gone, or out of sight, it goes on with what has come in its place
  useEffect(() => {
    const { activeElement: focused } = document;
    const lost = focused === document.body || focused.checkVisibility?.() === false;
    if (lost && navigator.userActivation?.hasBeenActive) document.querySelector(open ? "#document-name" : ".side .primary")?.focus();
  }, [openKey, documents.all.length]);
  const empty = documents.all.length === 0;
  return html`
    <header class="top">
      <img src="static/icon.svg" alt="" width="32" height="32" />
      <div><h1>${t.title}</h1><p class="hint">${t.tagline}</p></div>
      <nav>
        <a href="." aria-current=${operations ? undefined : "page"} onClick=${(event) => travel(event, ".", setOperations)}>${t.documents}</a>
        <a href="operations" aria-current=${operations ? "page" : undefined} onClick=${(event) => travel(event, "operations", setOperations)}>${t.operations}</a>
        <a href="docs">${t.api}</a>
      </nav>
    </header>
    ${documents.link === "offline" && html`<p class="notice strip" role="alert">${t.offline}</p>`}
    ${operations ? html`<main><${Operations} say=${say} limits=${capabilities?.limits} /></main>` : html`
      <main class=${`workspace ${open ? "reading-one" : ""} ${empty ? "empty" : ""}`}>
        <section class="side" aria-label=${t.documents}>
          <${Intake} capabilities=${capabilities} large=${empty} onFiles=${add} onSample=${sample} />
          ${!empty && html`<${List} documents=${documents} open=${open} onOpen=${show} onRemove=${setAsked} say=${say} />`}
        </section>
        ${!empty && html`<section class="main">
          ${open
            ? html`<${OpenDocument} document=${open} documents=${documents} formats=${capabilities?.formats ?? FORMATS_BEFORE_KNOWN}
                languages=${capabilities?.languages ?? []} onOpen=${show} say=${say} onBack=${() => show(null)} />`
            : html`<div class="nothing"><p>${t.nothingHere}</p><p class="hint">${t.nothingHereHint}</p></div>`}
        </section>`}
      </main>`}
    <p class="visually-hidden" role="status" aria-live="polite" id="announcer">${told}</p>
    ${toast && html`<p class="toast" aria-hidden="true">${toast}</p>`}
    ${asked && html`<${Ask} text=${t.removeAsk(asked.length)} onYes=${() => remove(asked)} onNo=${() => setAsked(null)} />`}
    ${key && html`<${KeyDialog} wasRefused=${key.wasRefused} onEnd=${(value) => { key.resolve(value); setKey(null); }} />`}`;
}

const atOperations = () => /\/operations\/?$/.test(location.pathname);

function travel(event, address, setOperations) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  history.pushState(null, "", address);
  setOperations(atOperations());
}

// A document's address is its job's id: a link to it opens it, also in a browser that has not seen it before.
function useHash(openKey, setOpenKey) {
  useChanges(documents);
  const wanted = useRef(/^#\/(.+)$/.exec(location.hash)?.[1] ?? null);
  const said = useRef(""); // what is drawn between Back and its event says an address no second time: that would undo it
  useEffect(() => {
    const moved = () => {
      if (atOperations()) return;
      wanted.current = /^#\/(.+)$/.exec(location.hash)?.[1] ?? null;
      if (!wanted.current) setOpenKey(null);
      documents.changed();
    };
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  useEffect(() => {
    if (wanted.current) {
      const found = documents.all.find((each) => each.id === wanted.current);
      if (found) setOpenKey(found.key);
      else if (documents.recalled) documents.join(wanted.current);
      if (found) wanted.current = null;
      return;
    }
    const open = documents.all.find((each) => each.key === openKey);
    const address = open?.id ? `#/${open.id}` : "";
    const isNew = said.current !== location.pathname + address;
    said.current = location.pathname + address;
    if (address && isNew && location.hash !== address) history[location.hash ? "replaceState" : "pushState"](null, "", address);
  });
}

function Ask({ text, onYes, onNo }) {
  return html`
    <${Dialog} onClose=${(value) => (value === "yes" ? onYes() : onNo())}>
      <p>${text}</p>
      <div class="bar"><button class="primary" value="yes">${t.remove}</button><button class="quiet" value="no">${t.cancel}</button></div>
    </${Dialog}>`;
}

function KeyDialog({ wasRefused, onEnd }) {
  const input = useRef(null);
  return html`
    <${Dialog} label="key-title" onClose=${(value) => onEnd(value === "use" ? input.current.value.trim() || null : null)}>
      <h2 id="key-title">${t.keyTitle}</h2>
      ${wasRefused && html`<p class="wrong" role="alert">${t.keyWrong}</p>`}
      <label>${t.keyLabel}<input ref=${input} id="key-value" type="password" autocomplete="off" spellcheck="false" required /></label>
      <p class="hint">${t.keyHint}</p>
      <div class="bar"><button class="primary" value="use">${t.keyUse}</button>
        <button class="quiet" value="no" formnovalidate>${t.cancel}</button></div>
    </${Dialog}>`;
}

function Dialog({ label, onClose, children }) {
  const dialog = useRef(null);
  useEffect(() => {
    dialog.current.returnValue = "";
    dialog.current.showModal();
  }, []);
  return html`
    <dialog ref=${dialog} aria-labelledby=${label} onClose=${() => onClose(dialog.current.returnValue)}>
      <form method="dialog">${children}</form>
    </dialog>`;
}

document.documentElement.lang = language;
render(html`<${Page} />`, document.querySelector("#page"));
