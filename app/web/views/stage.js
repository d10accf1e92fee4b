// A page's picture with its text over it: zoom, pan, selection, marks. Draws with the DOM itself, for thousands of words.

import { html, useEffect, useRef, useState } from "../ui.js";
import { t } from "../words.js";

const SVG = "http://www.w3.org/2000/svg";
const STEP = 1.25;
const MIN_SCALE = 0.05;
const MAX_SCALE = 8;
const MAX_FIT = 2; // a thumbnail is not blown up to a wall
const BASELINE = 0.8; // of a line's height, from its top: the share of a font's size that stands above its baseline
const FONT = "sans-serif";

const ruler = document.createElement("canvas").getContext("2d");

/** `page` with `picture`, a URL or null. `active` is the index of the line that is looked at, `marked` those that a search
 * found; lines and words below `threshold` are unsure. Tells `onActive(index)`, and `onArea(indices)` while `area` is on. */
export function Stage({ page, picture, active, marked, threshold, upright, area, onActive, onArea }) {
  const stage = useRef(null);
  const plane = useRef(null);
  const [room, setRoom] = useState([0, 0]);
  const [zoom, setZoom] = useState(null); // null: fits
  const [broken, setBroken] = useState(null);
  const turn = upright ? page.rotation : 0;
  const [width, height] = turn % 180 ? [page.height, page.width] : [page.width, page.height];
  const fit = Math.min(room[0] / width, Math.max(room[1] / height, room[0] / width / 3), MAX_FIT) || MIN_SCALE;
  const scale = zoom ?? fit;
  const current = useRef({});
  current.current = { scale, fit, setZoom };

  useEffect(() => {
    const watch = new ResizeObserver(([{ contentRect }]) => setRoom([contentRect.width, contentRect.height]));
    watch.observe(stage.current);
    return () => watch.disconnect();
  }, []);
  useEffect(() => gestures(stage.current, current), []);
  useEffect(() => drawText(plane.current, page), [page]);
  useEffect(() => setBroken(null), [picture]);
  useEffect(() => mark(plane.current, page, threshold), [page, threshold]);
  useEffect(() => show(plane.current, stage.current, active, marked), [page, active, marked]);
  useEffect(() => (area ? rectangle(stage.current, plane.current, page, onArea) : undefined), [area, page, onArea]);

  const hover = (event) => {
    const index = event.target.closest?.("[data-line]")?.dataset.line;
    onActive(index === undefined ? -1 : Number(index));
  };
  const shift = { 0: [0, 0], 90: [width * scale, 0], 180: [width * scale, height * scale], 270: [0, height * scale] }[turn];
  const blank = picture === null || broken === picture;
  return html`
    <div class="stage" ref=${stage} tabindex="0" role="group" aria-label=${t.picture}
         onKeyDown=${(event) => keys(event, current.current)}>
      <div class=${`paper ${blank ? "blank" : ""}`} style=${{ width: `${width * scale}px`, height: `${height * scale}px` }}>
        <div class=${`plane ${area ? "taking" : ""}`} ref=${plane} onPointerOver=${hover} onPointerLeave=${() => onActive(-1)}
             style=${{ width: `${page.width}px`, height: `${page.height}px`,
                       transform: `translate(${shift[0]}px, ${shift[1]}px) rotate(${turn}deg) scale(${scale})` }}>
          ${!blank && html`<img src=${picture} alt="" draggable="false" onError=${() => setBroken(picture)} />`}
          <svg viewBox=${`0 0 ${page.width} ${page.height}`} aria-hidden="true"></svg>
          <div class="glyphs"></div>
        </div>
      </div>
      ${blank && html`<p class="no-picture hint">${t.noPicture}</p>`}
    </div>
    <div class="zoom" role="group">
      <button type="button" aria-label=${t.zoomOut} title=${t.zoomOut} onClick=${() => setZoom(bounded(scale / STEP))}>−</button>
      <button type="button" aria-label=${t.fit} title=${t.fit} onClick=${() => setZoom(null)}>${Math.round(scale * 100)}%</button>
      <button type="button" aria-label=${t.zoomIn} title=${t.zoomIn} onClick=${() => setZoom(bounded(scale * STEP))}>+</button>
    </div>`;
}

const bounded = (scale) => Math.min(MAX_SCALE, Math.max(MIN_SCALE, scale));

function keys(event, { scale, setZoom }) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const wanted = { "+": scale * STEP, "=": scale * STEP, "-": scale / STEP, 0: null }[event.key];
  if (wanted === undefined) return;
  event.preventDefault();
  setZoom(wanted === null ? null : bounded(wanted));
}

// Wheel with Ctrl (which is also what a touchpad's pinch sends) and two fingers zoom around where they are.
function gestures(stage, current) {
  let pinch = null; // [distance, scale] at its beginning
  const zoomAt = (scale, x, y) => {
    const before = current.current.scale;
    const after = bounded(scale);
    const box = stage.getBoundingClientRect();
    const [left, top] = [stage.scrollLeft + x - box.left, stage.scrollTop + y - box.top];
    current.current.setZoom(after);
    requestAnimationFrame(() => requestAnimationFrame(() => {
      stage.scrollLeft += left * (after / before - 1);
      stage.scrollTop += top * (after / before - 1);
    }));
  };
  const wheel = (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoomAt(current.current.scale * Math.exp(-event.deltaY / 300), event.clientX, event.clientY);
  };
  const touch = (event) => {
    if (event.touches.length !== 2) {
      pinch = null;
      return;
    }
    event.preventDefault();
    const [one, other] = event.touches;
    const distance = Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    pinch ??= [distance, current.current.scale];
    zoomAt((pinch[1] * distance) / pinch[0], (one.clientX + other.clientX) / 2, (one.clientY + other.clientY) / 2);
  };
  const options = { passive: false };
  stage.addEventListener("wheel", wheel, options);
  for (const kind of ["touchstart", "touchmove", "touchend"]) stage.addEventListener(kind, touch, options);
  return () => {
    stage.removeEventListener("wheel", wheel, options);
    for (const kind of ["touchstart", "touchmove", "touchend"]) stage.removeEventListener(kind, touch, options);
  };
}

// One outline a line and one selectable run of text over its print, as pdf.js does it: scaled to the line's own width.
function drawText(plane, page) {
  const svg = plane.querySelector("svg");
  const glyphs = plane.querySelector(".glyphs");
  svg.replaceChildren(...page.lines.flatMap((line, index) => [
    outline(line, index, "line"),
    ...(line.words ?? []).map((word) => outline(word, index, "word")),
  ]));
  glyphs.replaceChildren(...page.lines.flatMap((line, index) => [run(line, index), document.createElement("br")]));
}

function outline({ polygon, confidence }, index, kind) {
  const element = document.createElementNS(SVG, "polygon");
  element.setAttribute("points", polygon.map((point) => point.join(",")).join(" "));
  element.classList.add(kind);
  element.dataset.line = index;
  element.dataset.confidence = confidence;
  return element;
}

function run({ text, polygon: [[left, top], right, corner] }, index) {
  const width = Math.hypot(right[0] - left, right[1] - top);
  const height = Math.hypot(corner[0] - right[0], corner[1] - right[1]);
  const slant = Math.atan2(right[1] - top, right[0] - left);
  const element = document.createElement("span");
  element.textContent = text;
  element.dir = "auto";
  element.dataset.line = index;
  ruler.font = `${height * BASELINE}px ${FONT}`;
  const stretch = width / (ruler.measureText(text).width || 1);
  Object.assign(element.style, {
    left: `${left}px`,
    top: `${top}px`,
    font: `${height * BASELINE}px/${height}px ${FONT}`,
    transform: `rotate(${slant}rad) scaleX(${stretch})`,
  });
  return element;
}

function mark(plane, page, threshold) {
  for (const each of plane.querySelectorAll("polygon")) {
    const unsure = Number(each.dataset.confidence) < threshold;
    each.classList.toggle("unsure", unsure);
  }
}

function show(plane, stage, active, marked) {
  for (const each of plane.querySelectorAll("[data-line]")) {
    const index = Number(each.dataset.line);
    each.classList.toggle("active", index === active.index);
    each.classList.toggle("found", marked.has(index));
  }
  if (!active.scroll) return;
  const line = plane.querySelector(`.line[data-line="${active.index}"]`);
  if (!line) return;
  const [box, view] = [line.getBoundingClientRect(), stage.getBoundingClientRect()];
  if (box.top < view.top || box.bottom > view.bottom) stage.scrollTop += box.top - view.top - view.height / 3;
  if (box.left < view.left || box.left > view.right) stage.scrollLeft += box.left - view.left - 20;
}

// Draws a rectangle with the pointer, and tells the lines whose middle is in it.
function rectangle(stage, plane, page, onArea) {
  let start = null;
  let frame = null;
  const down = (event) => {
    event.preventDefault();
    start = [event.clientX, event.clientY];
    frame = document.createElement("div");
    frame.className = "rectangle";
    document.body.append(frame);
    stage.setPointerCapture(event.pointerId);
  };
  const box = (event) => {
    const [left, right] = [start[0], event.clientX].sort((one, other) => one - other);
    const [top, bottom] = [start[1], event.clientY].sort((one, other) => one - other);
    return { left, right, top, bottom };
  };
  const move = (event) => {
    if (!start) return;
    const { left, right, top, bottom } = box(event);
    Object.assign(frame.style, { left: `${left}px`, top: `${top}px`, width: `${right - left}px`, height: `${bottom - top}px` });
  };
  const up = (event) => {
    if (!start) return;
    const { left, right, top, bottom } = box(event);
    start = null;
    frame.remove();
    const within = [...plane.querySelectorAll("polygon.line")].filter((line) => {
      const at = line.getBoundingClientRect();
      const [x, y] = [(at.left + at.right) / 2, (at.top + at.bottom) / 2];
      return x > left && x < right && y > top && y < bottom;
    });
    onArea(within.map((line) => Number(line.dataset.line)));
  };
  const listeners = { pointerdown: down, pointermove: move, pointerup: up, pointercancel: up };
  for (const [kind, listener] of Object.entries(listeners)) stage.addEventListener(kind, listener);
  return () => {
    for (const [kind, listener] of Object.entries(listeners)) stage.removeEventListener(kind, listener);
    frame?.remove();
  };
}
