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

const ERRORS = {
  unreachable: "The server cannot be reached.",
  invalid_image: "This file cannot be read as an image. It may be damaged or cut off.",
  unsupported_media_type: "This is no image of a type that can be read. JPEG, PNG, WebP, BMP, TIFF and GIF can.",
  too_many_pixels: "This image has more pixels than the server accepts. A smaller version may work.",
  body_too_large: "This file is larger than the server accepts.",
  queue_full: "The queue is full at the moment.",
  timeout: "Reading this image took too long, so it was given up.",
  worker_crashed: "The reading of this image broke off again and again, so it was given up.",
  engine_error: "The recognition failed on this image.",
};

const BY_STATUS = {
  401: "The server asks for a key, and none was accepted.",
  403: "The key that was given does not allow this.",
  404: "The server does not know this job.",
  408: "Sending took too long.",
  410: "The server has deleted this job.",
  413: "This image is larger than the server accepts.",
  415: ERRORS.unsupported_media_type,
  422: ERRORS.invalid_image,
  429: "Too many requests at the moment.",
  503: "The server has no room at the moment.",
};

export const state = (name) => STATES[name] ?? name;

/** A sentence for a person, and the server's own detail behind it where that adds something. */
export function explain({ code, status, detail }) {
  const known = ERRORS[code] ?? BY_STATUS[status] ?? "Something went wrong.";
  return detail ? `${known} (${detail})` : known;
}

export const percent = (share) => `${Math.floor(share * 100)}%`;

export const duration = (seconds) => `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;

export const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
