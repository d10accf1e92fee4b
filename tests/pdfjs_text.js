// The text of each page of a PDF as pdf.js finds it, as JSON: node pdfjs_text.js FILE
global.DOMMatrix = global.ImageData = global.Path2D = class {};
const fs = require("fs");
const pdfjs = require(process.env.PDFJS || "/usr/share/javascript/pdf/build/pdf.js");

(async () => {
  const data = new Uint8Array(fs.readFileSync(process.argv[2]));
  const pdf = await pdfjs.getDocument({ data, verbosity: 0, isEvalSupported: false, useSystemFonts: false }).promise;
  const pages = [];
  for (let number = 1; number <= pdf.numPages; number++) {
    const { items } = await (await pdf.getPage(number)).getTextContent();
    pages.push(items.map((item) => item.str + (item.hasEOL ? "\n" : "")).join(""));
  }
  process.stdout.write(JSON.stringify(pages));
})();
