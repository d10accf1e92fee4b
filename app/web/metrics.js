// Prometheus' text format, as far as /metrics uses it (exposition format 0.0.4).

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** Samples: `{ name, labels, value }`. */
export function parse(text) {
  return text.split("\n").flatMap((line) => {
    const found = line.startsWith("#") ? null : SAMPLE.exec(line);
    if (!found) return [];
    const labels = Object.fromEntries([...(found[2] ?? "").matchAll(LABEL)].map(([, name, value]) => [name, value]));
    return [{ name: found[1], labels, value: Number(found[3].replace("Inf", "Infinity")) }];
  });
}

/** The sum over all labels; 0 where there is none. */
export const sum = (samples, name) =>
  samples.filter((each) => each.name === name).reduce((total, each) => total + each.value, 0);
