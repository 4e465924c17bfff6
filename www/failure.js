// An error, in plain words, with the technical details folded away.

import { failureDetails, failureInWords } from "./words.js";

/**
 * Puts `error` at the end of `place` instead of the one shown before; `undefined` takes it away. `doing` is what was
 * tried, where it was not storing a file.
 */
export function showFailure(place, error, template, doing) {
  place.querySelector(":scope > .failure")?.remove();
  if (!error) return;
  const failure = template.content.firstElementChild.cloneNode(true);
  const { title, advice } = failureInWords(error, doing);
  failure.querySelector(".failure-title").textContent = title;
  failure.querySelector(".failure-advice").textContent = advice;
  failure.querySelector("dl").append(...failureDetails(error).map(([name, value]) => {
    const pair = document.createElement("div");
    const term = document.createElement("dt");
    const detail = document.createElement("dd");
    term.textContent = name;
    detail.textContent = value;
    pair.append(term, detail);
    return pair;
  }));
  place.append(failure);
}
