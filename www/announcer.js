// What a screen reader hears: one polite region, a sentence at a time, never a stream.

const GATHER_MS = 800;
const PAUSE_MS = 4000;

/** Gathers sentences for a moment; of more than two, only `summarize()` is said. */
export class Announcer {
  #region;
  #summarize;
  #sentences = [];
  #timer;
  #quietUntil = 0;

  constructor(region, summarize) {
    this.#region = region;
    this.#summarize = summarize;
  }

  say(sentence) {
    if (this.#sentences.length < 3 && !this.#sentences.includes(sentence)) this.#sentences.push(sentence);
    this.#timer ??= setTimeout(() => this.#speak(), Math.max(GATHER_MS, this.#quietUntil - performance.now()));
  }

  #speak() {
    this.#region.textContent = this.#sentences.length > 2 ? this.#summarize() : this.#sentences.join(" ");
    this.#sentences = [];
    this.#timer = undefined;
    this.#quietUntil = performance.now() + PAUSE_MS;
  }
}
