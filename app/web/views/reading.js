// What was read of a page: its lines, its text, its tables.

import { html, useEffect, useRef } from "../ui.js";
import { percent, t } from "../words.js";

/** `mode` is "lines", "text" or "tables". Tells `onActive(index)` and `onCopy(text, rows)`. */
export function Reading({ page, mode, active, marked, threshold, onActive, onCopy }) {
  if (mode === "text") return html`<pre class="text" dir="auto" tabindex="0">${textOf(page)}</pre>`;
  if (mode === "tables") return html`<${Tables} page=${page} onCopy=${onCopy} />`;
  return html`<${Lines} ...${{ page, active, marked, threshold, onActive, onCopy }} />`;
}

/** Tables of a page, as rows of texts. */
export const tablesOf = (page) => page.blocks.filter((block) => block.cells).map((block) => rowsOf(block.cells));

/** A page's text as its lines stand: those of one row on one line. */
export function textOf(page) {
  const rows = [];
  for (const line of page.lines.filter((each) => !each.low_confidence)) {
    if (rows.length && rows.at(-1).row === line.row) rows.at(-1).text += `  ${line.text}`;
    else rows.push({ row: line.row, text: line.text });
  }
  return rows.map((row) => row.text).join("\n");
}

function Lines({ page, active, marked, threshold, onActive, onCopy }) {
  const list = useRef(null);
  useEffect(() => {
    if (active.scroll !== false) list.current?.children[active.index]?.scrollIntoView({ block: "nearest" });
  }, [active]);
  if (page.lines.length === 0) return html`<p class="empty hint">${t.noText}</p>`;
  const keys = (event) => {
    const last = page.lines.length - 1;
    const { index } = active;
    const target = { ArrowDown: Math.min(index + 1, last), ArrowUp: Math.max(index - 1, 0), Home: 0, End: last }[event.key];
    if (event.key === "c" && !event.ctrlKey && !event.metaKey && index >= 0) return onCopy(page.lines[index].text);
    if (target === undefined) return;
    event.preventDefault();
    onActive(target, true);
  };
  const point = (event) => {
    const item = event.target.closest("li");
    if (item) onActive(Number(item.dataset.line), "picture");
  };
  return html`
    <ol class="lines" role="listbox" tabindex="0" ref=${list} aria-label=${t.asLines} onKeyDown=${keys}
        aria-activedescendant=${active.index >= 0 ? `line-${active.index}` : undefined}
        onPointerOver=${point} onClick=${point}>
      ${page.lines.map((line, index) => html`
        <li key=${index} id=${`line-${index}`} data-line=${index} role="option"
            aria-selected=${index === active.index ? "true" : "false"}
            class=${[index === active.index && "active", marked.has(index) && "found", line.confidence < threshold && "unsure"].filter(Boolean).join(" ")}>
          <span dir="auto">${line.text}</span>
          <small>${line.confidence < threshold ? percent(line.confidence) : ""}</small>
        </li>`)}
    </ol>`;
}

function Tables({ page, onCopy }) {
  const tables = page.blocks.filter((block) => block.cells);
  if (tables.length === 0) return html`<p class="empty hint">${t.noTables}</p>`;
  return tables.map((block, index) => {
    const rows = rowsOf(block.cells);
    return html`
      <div class="table" key=${index}>
        <button type="button" onClick=${() => onCopy(rows.map((row) => row.join("\t")).join("\n"), rows)}>${t.copyTable}</button>
        <div class="scroll" tabindex="0"><table><tbody>
          ${grouped(block.cells).map((row) => html`<tr>${row.map((cell) => html`
            <td rowspan=${cell.row_span} colspan=${cell.column_span} dir="auto">${cell.text}</td>`)}</tr>`)}
        </tbody></table></div>
      </div>`;
  });
}

function grouped(cells) {
  const rows = [];
  for (const cell of cells) (rows[cell.row] ??= []).push(cell);
  return Array.from(rows, (row) => row ?? []);
}

// Spreadsheets know no spans in plain text: a cell's text stands in its first place.
function rowsOf(cells) {
  const rows = Math.max(...cells.map((cell) => cell.row + cell.row_span));
  const columns = Math.max(...cells.map((cell) => cell.column + cell.column_span));
  const grid = Array.from({ length: rows }, () => Array(columns).fill(""));
  for (const cell of cells) grid[cell.row][cell.column] = cell.text.replaceAll(/\s+/g, " ");
  return grid;
}
