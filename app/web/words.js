// What people read: plain words for states and errors in their language, and figures in a form for reading.

const LANGUAGES = ["en", "de", "zh"];

/** The language of the page: the one that `?lang=` names, else the browser's, else English. */
export const language = [new URLSearchParams(location.search).get("lang"), ...navigator.languages]
  .map((tag) => tag?.split("-")[0])
  .find((tag) => LANGUAGES.includes(tag)) ?? "en";

/** As people write there: of that language the browser's first one, such as en-GB. */
export const locale = navigator.languages.find((tag) => tag.split("-")[0] === language) ?? language;

const { STATES, ERRORS, TEXTS } = await import(`./words/${language}.js`);

// What a proxy in front of the service may answer without a code.
const BY_STATUS = {
  401: ERRORS.unauthorized,
  413: ERRORS.image_too_large,
  429: ERRORS.rate_limited,
  502: ERRORS.unreachable,
  503: ERRORS.overloaded,
  504: ERRORS.unreachable,
};

export const t = TEXTS;

export const state = (name) => STATES[name] ?? name;

/** An error as a sentence for a person. */
export const explain = ({ code, status }) => ERRORS[code] ?? BY_STATUS[status] ?? ERRORS.internal;

/** What to tell those who run the server: its own words, and the request's id in its log. */
export const forOperators = ({ detail, requestId }) =>
  [detail, requestId && `Request ${requestId}`].filter(Boolean).join(" · ");

/** Floored, so that nothing is called 100% that is not. */
export const percent = (share) => new Intl.NumberFormat(locale, { style: "percent" }).format(Math.floor(share * 100) / 100);

/** Numbers in a sentence: "1, 4 and 7". */
export const series = (numbers) => new Intl.ListFormat(language).format(numbers.map(String));

/** Seconds as people say them: 0.42 s, 12 s, 3 min, 2 h, 5 d. */
export function duration(seconds) {
  const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const [unit, size] = units.find(([, length]) => seconds >= 2 * length) ?? units[3];
  const digits = unit === "second" && seconds < 10 ? 1 : 0;
  return number(seconds / size, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: digits });
}

/** A moment, in milliseconds: its time where it was today, else its day. */
export function moment(at) {
  const [then, now] = [new Date(at), new Date()];
  if (then.toDateString() === now.toDateString()) return then.toLocaleTimeString(locale, { timeStyle: "short" });
  const year = then.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return then.toLocaleDateString(locale, { day: "numeric", month: "short", year });
}

/** Bytes as people say them. */
export function size(bytes) {
  const units = [["terabyte", 1e12], ["gigabyte", 1e9], ["megabyte", 1e6], ["kilobyte", 1e3], ["byte", 1]];
  const [unit, length] = units.find(([, least]) => bytes >= least) ?? units[4];
  return number(bytes / length, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 });
}

/** Languages of `/capabilities` as [tag, name], by their names in the page's language. */
export function named(languages) {
  const names = new Intl.DisplayNames(language, { type: "language" });
  return languages.map(({ tag }) => [tag, names.of(tag)]).sort(([, one], [, other]) => one.localeCompare(other, language));
}

/** A number as it is written in the page's language. */
export const number = (value, options = {}) => new Intl.NumberFormat(locale, options).format(value);
