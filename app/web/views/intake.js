// Taking files in: chosen, dropped, pasted, photographed, whole folders.

import { html, useEffect, useRef, useState } from "../ui.js";
import { number, t } from "../words.js";

const OTHERS = ".tif,.tiff,.heic,.heif,.jp2,.pbm,.pgm,.ppm,.zip"; // what browsers do not take for pictures

/** `large`: there is nothing else on the page yet. `capabilities` may be null. Tells `onFiles(files)`, `onSample()`. */
export function Intake({ capabilities, large, onFiles, onSample }) {
  const input = useRef(null);
  const folder = useRef(null);
  const camera = useRef(null);
  const over = useWholeWindow(onFiles);
  const took = (event) => {
    onFiles(event.target.files);
    event.target.value = "";
  };
  const types = capabilities ? capabilities.files.map((kind) => kind.media_type).join() : "application/pdf,image/*";
  const limits = capabilities?.limits;
  return html`
    <div class=${`intake ${large ? "large" : ""} ${over ? "over" : ""}`}>
      <button type="button" class="primary" onClick=${() => input.current.click()}>${large ? t.choose : t.add}</button>
      ${large && html`<p class="drop">${t.orDrop}</p>`}
      <span class="bar">
        <button type="button" class="quiet folder" onClick=${() => folder.current.click()}>${t.chooseFolder}</button>
        <button type="button" class="quiet photo" onClick=${() => camera.current.click()}>${t.photograph}</button>
        ${large && html`<button type="button" class="quiet" onClick=${onSample}>${t.trySample}</button>`}
      </span>
      ${large && limits && html`<p class="hint">${t.takes(
        [...capabilities.files.map((kind) => kind.name), "ZIP"].join(", "),
        number(Math.floor(limits.max_image_bytes / 1e6)), number(limits.max_image_pages))}</p>`}
      <input ref=${input} type="file" id="files" multiple hidden accept=${`${types},${OTHERS}`} onChange=${took} />
      <input ref=${folder} type="file" hidden multiple webkitdirectory onChange=${took} />
      <input ref=${camera} type="file" hidden accept="image/*" capture="environment" onChange=${took} />
    </div>`;
}

// The whole window takes drops, so that a near miss does not make the browser leave the page for the picture.
function useWholeWindow(onFiles) {
  const [over, setOver] = useState(false);
  const taker = useRef(onFiles);
  taker.current = onFiles;
  useEffect(() => {
    const listeners = {
      dragover: (event) => {
        event.preventDefault();
        setOver(true);
      },
      dragleave: (event) => event.relatedTarget === null && setOver(false),
      drop: async (event) => {
        event.preventDefault();
        setOver(false);
        taker.current(await dropped(event.dataTransfer));
      },
      paste: (event) => event.clipboardData.files.length && taker.current(event.clipboardData.files),
    };
    for (const [kind, listener] of Object.entries(listeners)) addEventListener(kind, listener);
    return () => {
      for (const [kind, listener] of Object.entries(listeners)) removeEventListener(kind, listener);
    };
  }, []);
  return over;
}

// Files, and those of folders among them.
async function dropped({ items, files }) {
  const entries = [...items].map((item) => item.webkitGetAsEntry?.());
  if (!entries.some((entry) => entry?.isDirectory)) return files;
  const found = [];
  const walk = async (entry) => {
    if (entry?.isFile) found.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    if (!entry?.isDirectory) return;
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (some.length === 0) return;
      for (const each of some) await walk(each);
    }
  };
  for (const entry of entries) await walk(entry);
  return found;
}
