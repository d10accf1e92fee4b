// The text of each page of a PDF as pdf.js finds it, as JSON: node pdfjs_text.js FILE [places]
// `places`: its pieces, each with left, top, right and bottom in points from the top left of the page as it is shown.
global.DOMMatrix = global.ImageData = global.Path2D = class {};
const fs = require("fs");
const pdfjs = require(process.env.PDFJS || "/usr/share/javascript/pdf/build/pdf.js");

(async () => {
  const data = new Uint8Array(fs.readFileSync(process.argv[2]));
  const pdf = await pdfjs.getDocument({ data, verbosity: 0, isEvalSupported: false, useSystemFonts: false }).promise;
  const pages = [];
  for (let number = 1; number <= pdf.numPages; number++) {
    const page = await pdf.getPage(number);
    const { items } = await page.getTextContent();
    if (process.argv[3] === "places") {
      const shown = page.getViewport({ scale: 1 }).transform;
      const pieces = items.filter((item) => item.str.trim());
      pages.push(pieces.map((item) => {
        const [, , , , left, base] = pdfjs.Util.transform(shown, item.transform);
        return [item.str, [left, base - 0.8 * item.height, left + item.width, base + 0.2 * item.height]];
      }));
      continue;
    }
    pages.push(items.map((item) => item.str + (item.hasEOL ? "\n" : "")).join(""));
  }
  process.stdout.write(JSON.stringify(pages));
})();
