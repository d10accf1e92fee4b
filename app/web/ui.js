// What views are made of: preact with htm's templates, and a hook that draws anew when a store changes.

import { html, render, useEffect, useMemo, useRef, useState } from "./vendor/htm/standalone.module.js";

export { html, render, useEffect, useMemo, useRef, useState };

/** A set of listeners with `changed()`; what is told within one frame is drawn once. */
export class Observable {
  #listeners = new Set();
  #asked = false;

  /** Calls `listener` after each change; gives a function that ends that. */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed() {
    if (this.#asked) return;
    this.#asked = true;
    // not requestAnimationFrame, which rests in a tab that is not looked at
    setTimeout(() => {
      this.#asked = false;
      for (const listener of [...this.#listeners]) listener();
    }, 16);
  }
}

/** Draws the calling view anew whenever `observable` changes. */
export function useChanges(observable) {
  const [, turn] = useState(0);
  useEffect(() => observable.subscribe(() => turn((count) => count + 1)), [observable]);
}
