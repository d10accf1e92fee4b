// What people read: plain words for states and errors, and figures in a form for reading.

const STATES = {
  sending: "Sending",
  held: "Waiting",
  queued: "In the queue",
  processing: "Reading",
  done: "Done",
  "dead-letter": "Failed",
  cancelled: "Cancelled",
  refused: "Refused",
};

// Every code of the service's table of errors, and `unreachable` for no answer at all.
const ERRORS = {
  unreachable: "The server cannot be reached.",
  malformed_request: "The server did not understand the upload.",
  unknown_parameter: "The server does not know an option that was sent.",
  missing_file: "No image arrived at the server.",
  not_found: "The server knows nothing of this address.",
  job_not_found: "The server does not know this job.",
  method_not_allowed: "The server does not offer this.",
  not_acceptable: "The server does not give results in this format.",
  upload_timeout: "Sending the image took too long.",
  job_gone: "The server has deleted this job.",
  image_too_large: "This file is larger than the server accepts.",
  too_many_pixels: "This image has more pixels than the server accepts. A smaller version may work.",
  too_many_pages: "This file has more pages than the server accepts. Some of them at a time may work.",
  unsupported_media_type: "This kind of file cannot be read here. PDF, JPEG, PNG, TIFF, WebP, GIF, BMP, AVIF, HEIC, JPEG 2000 and PNM can.",
  invalid_image: "This file cannot be read as an image. It may be damaged or cut off.",
  invalid_document: "This document cannot be read. It may be damaged or cut off.",
  password_required: "This document is locked. Its password is missing or wrong.",
  internal: "Something broke inside the server.",
  unauthorized: "The server asks for a key, and none was accepted.",
  forbidden: "The key that was given may not do that.",
  not_a_dead_letter: "This job has not failed, so there is nothing to repeat.",
  already_ended: "This job has already ended.",
  result_unfinished: "Not all of it is read yet.",
  no_result: "Nothing was read in this file.",
  no_such_page: "The file has no such page.",
  rate_limited: "Too many requests at the moment.",
  quota_exceeded: "Too many of your images are still waiting to be read.",
  overloaded: "The server is short of memory at the moment.",
  queue_full: "The queue is full at the moment.",
  stopping: "The server is being stopped.",
  store_unavailable: "The server cannot store anything at the moment.",
  storage_full: "The server has no room left on its disk.",
  pool_unavailable: "Nothing can be read at the moment: the server has no worker.",
  timeout: "Reading this image took too long, so it was given up.",
  worker_crashed: "Reading this image broke off again and again, so it was given up.",
  out_of_memory: "The server had too little memory to read this image.",
  engine_error: "The recognition failed on this image.",
  image_missing: "The server has lost this image. Please send it again.",
};

// What a proxy in front of the service may answer without a code.
const BY_STATUS = {
  401: ERRORS.unauthorized,
  413: ERRORS.image_too_large,
  429: ERRORS.rate_limited,
  502: ERRORS.unreachable,
  503: "The server has no room at the moment.",
  504: ERRORS.unreachable,
};

export const state = (name) => STATES[name] ?? name;

/** An error as a sentence for a person. */
export const explain = ({ code, status }) => ERRORS[code] ?? BY_STATUS[status] ?? "Something went wrong.";

/** What to tell those who run the server: its own words, and the request's id in its log. */
export const forOperators = ({ detail, requestId }) =>
  [detail, requestId && `Request ${requestId}`].filter(Boolean).join(" · ");

/** Which pages of a job are not complete, in words; empty where all are. */
export function incomplete(pages) {
  const cut = pages.filter((page) => page.truncated).map((page) => String(page.number));
  if (cut.length === 0) return "";
  const numbers = new Intl.ListFormat("en-GB").format(cut);
  const which = pages.length === 1 ? "This page" : `${cut.length === 1 ? "Page" : "Pages"} ${numbers}`;
  const are = cut.length === 1 ? "is not complete: it holds" : "are not complete: they hold";
  return `${which} ${are} more text than is read of one page. What stands furthest down is missing.`;
}

export const percent = (share) => `${Math.floor(share * 100)}%`;

export const duration = (seconds) => `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;

export const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
