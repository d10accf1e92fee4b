// Waiting, and doing no more at once than is good.

import { Problem } from "./api.js";

const LONGEST_PAUSE = 30; // seconds

/** Tries until it goes through or fails for good; tells each hold-up to `onWait(problem)`. */
export async function persist(attempt, { mayPass = (problem) => problem.passing, onWait = () => {}, signal }) {
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt();
    } catch (problem) {
      if (!(problem instanceof Problem) || !mayPass(problem)) throw problem;
      onWait(problem);
      await pause(problem.retryAfter ?? Math.min(LONGEST_PAUSE, 2 ** failures), signal);
    }
  }
}

/** Resolves after that many seconds, or as soon as the browser is online again; rejects when `signal` is aborted. */
export function pause(duration, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const end = (settle, value) => {
      clearTimeout(timer);
      removeEventListener("online", go);
      signal?.removeEventListener("abort", stop);
      settle(value);
    };
    const go = () => end(resolve);
    const stop = () => end(reject, signal.reason);
    const timer = setTimeout(go, duration * 1000);
    addEventListener("online", go);
    signal?.addEventListener("abort", stop);
  });
}

/** A function that runs at most `count` works at once and lets the others wait their turn. */
export function lanes(count) {
  const waiting = [];
  let free = count;
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
