// Copying and saving.

/** Puts text on the clipboard, as a table for spreadsheets too where `rows` are given; gives whether that went through. */
export async function copy(text, rows = null) {
  try {
    if (rows && globalThis.ClipboardItem) {
      const kinds = { "text/plain": new Blob([text], { type: "text/plain" }), "text/html": new Blob([table(rows)], { type: "text/html" }) };
      await navigator.clipboard.write([new ClipboardItem(kinds)]);
    } else {
      await navigator.clipboard.writeText(text);
    }
    return true;
  } catch {
    // none for pages from plain http, except on localhost, nor where it is denied
    return copyWithoutClipboard(text);
  }
}

function table(rows) {
  const element = document.createElement("table");
  for (const cells of rows) {
    const row = element.insertRow();
    for (const cell of cells) row.insertCell().textContent = cell;
  }
  return element.outerHTML;
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
  focused?.focus();
  return copied;
}

/** Saves a Blob under a name, as the browser saves downloads. */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // some browsers read it only after a question
}

/** A file's name with another ending. */
export const renamed = (name, suffix) => `${name.replace(/\.[^.]*$/, "")}${suffix}`;
