// The page: takes images by choice, drop and paste, and gives each a card.

import { onKeyWanted } from "./api.js";
import { Card } from "./card.js";

const JOBS = "jobs";

const cards = document.querySelector("#cards");
const announcer = document.querySelector("#announcer");
const zone = document.querySelector("#upload");
const input = document.querySelector("#files");
let shown = [];

// The newest batch on top, in the order in which it was chosen.
function show(descriptions) {
  const batch = descriptions.map((description) => new Card({
    ...description,
    onNews: (sentence) => { announcer.textContent = sentence; },
    onChange: remember,
    onRemove: (removed) => {
      shown = shown.filter((card) => card !== removed);
      remember();
    },
  }));
  shown = [...batch, ...shown];
  cards.prepend(...batch.map((card) => card.element));
  for (const card of batch) card.run();
}

const upload = (files) => show([...files].map((file) => ({ name: file.name, file })));

// A reload finds the jobs of this tab again; their pictures are not kept.
function remember() {
  const jobs = shown.filter((card) => card.id !== null).map(({ id, name }) => ({ id, name }));
  sessionStorage.setItem(JOBS, JSON.stringify(jobs));
}

onKeyWanted((wasRefused) => new Promise((resolve) => {
  const dialog = document.querySelector("#key");
  const value = document.querySelector("#key-value");
  value.value = "";
  dialog.querySelector(".wrong").hidden = !wasRefused;
  dialog.returnValue = "";
  dialog.onclose = () => resolve(dialog.returnValue === "use" ? value.value.trim() : null);
  dialog.showModal();
}));

input.onchange = () => {
  upload(input.files);
  input.value = "";
};

// The whole window takes drops, so that a near miss does not make the browser leave the page for the picture.
addEventListener("dragover", (event) => {
  event.preventDefault();
  zone.classList.add("over");
});
addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) zone.classList.remove("over");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  zone.classList.remove("over");
  upload(event.dataTransfer.files);
});
addEventListener("paste", (event) => upload(event.clipboardData.files));

show(JSON.parse(sessionStorage.getItem(JOBS) ?? "[]"));
