// One page: its picture with a polygon on every line, beside the list of lines; pointing at one lights up the other.

import { count, percent } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const BASELINE = 0.78; // of a line's height, from its top
let pages = 0;

/** Shows `page` in the card's `sheet`. `source` is the picture's URL, or null where there is none to show. */
export function showPage(sheet, page, source) {
  const prefix = `page-${(pages += 1)}`;
  const list = sheet.querySelector(".lines");
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${page.width} ${page.height}`);
  svg.setAttribute("aria-hidden", "true");

  const shapes = page.lines.map((line) => shape(line));
  const items = page.lines.map((line, index) => item(line, `${prefix}-line-${index}`));
  svg.replaceChildren(...shapes, ...page.lines.map((line) => writing(line)));
  list.replaceChildren(...items);
  list.hidden = items.length === 0;
  list.setAttribute("aria-label", `${count(items.length, "line")} of text; arrow keys move along them`);
  sheet.querySelector(".empty").hidden = items.length > 0;

  const turned = sheet.querySelector(".turned");
  turned.hidden = page.rotation === 0;
  turned.textContent = `The text stands turned: the picture has to be rotated by ${page.rotation}° to read it.`;

  showPicture(sheet.querySelector(".picture"), page, source, svg);
  connect(list, items, svg, shapes);
}

function shape({ polygon, low_confidence: unsure }) {
  const element = document.createElementNS(SVG, "polygon");
  element.setAttribute("points", polygon.map((point) => point.join(",")).join(" "));
  element.classList.toggle("unsure", unsure);
  return element;
}

// The text in its place, shown where there is no picture: as wide as the line, at its slant.
function writing({ text, polygon: [[left, top], right, corner] }) {
  const element = document.createElementNS(SVG, "text");
  const width = Math.hypot(right[0] - left, right[1] - top);
  const height = Math.hypot(corner[0] - right[0], corner[1] - right[1]);
  const slant = (Math.atan2(right[1] - top, right[0] - left) * 180) / Math.PI;
  element.textContent = text;
  element.setAttribute("transform", `translate(${left} ${top}) rotate(${slant})`);
  element.setAttribute("y", height * BASELINE);
  element.setAttribute("font-size", height * BASELINE);
  element.setAttribute("textLength", width);
  element.setAttribute("lengthAdjust", "spacingAndGlyphs");
  return element;
}

function item({ text, confidence, low_confidence: unsure }, id) {
  const element = document.createElement("li");
  element.id = id;
  element.setAttribute("role", "option");
  element.classList.toggle("unsure", unsure);
  const words = document.createElement("span");
  words.dir = "auto";
  words.textContent = text;
  const share = document.createElement("small");
  share.textContent = unsure ? `unsure, ${percent(confidence)}` : percent(confidence);
  element.append(words, share);
  return element;
}

// Where the browser cannot show the file (TIFF, a later page), the lines stand on an empty sheet of its size.
function showPicture(figure, page, source, svg) {
  const image = figure.querySelector("img");
  const blank = () => figure.classList.add("blank");
  figure.classList.toggle("blank", source === null);
  figure.style.setProperty("--width", page.width);
  figure.style.setProperty("--height", page.height);
  image.onerror = blank;
  if (source === null) image.removeAttribute("src");
  else image.src = source;
  figure.querySelector("svg")?.remove();
  figure.append(svg);
}

function connect(list, items, svg, shapes) {
  let active = -1;
  const choose = (index, { scroll = false } = {}) => {
    for (const parts of [items, shapes]) {
      parts[active]?.classList.remove("active");
      parts[index]?.classList.add("active");
    }
    items[active]?.removeAttribute("aria-selected");
    items[index]?.setAttribute("aria-selected", "true");
    if (index < 0) list.removeAttribute("aria-activedescendant");
    else list.setAttribute("aria-activedescendant", items[index].id);
    if (scroll) items[index]?.scrollIntoView({ block: "nearest" });
    active = index;
  };

  list.onpointerover = (event) => choose(items.indexOf(event.target.closest("li")));
  list.onpointerleave = () => choose(-1);
  list.onblur = () => choose(-1);
  list.onkeydown = (event) => {
    const last = items.length - 1;
    const target = { ArrowDown: Math.min(active + 1, last), ArrowUp: Math.max(active - 1, 0), Home: 0, End: last }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    choose(target, { scroll: true });
  };
  svg.onpointerover = (event) => choose(shapes.indexOf(event.target), { scroll: true });
  svg.onpointerleave = () => choose(-1);
}
