// The question how much of an archive is wanted, and how fast.

import { showFailure } from "./failure.js";
import { TIERS, alignedInWords } from "./retrieval-words.js";
import { sizeInWords } from "./words.js";

const MB = 1e6;
const SMALLEST_PIECE = 2 ** 20; // what has a checksum of its own

export class RetrievalForm {
  #dialog = document.getElementById("retrieval");
  #form = this.#dialog.querySelector("form");
  #failureTemplate;
  #alignRange;
  #asked;
  #answer;
  #running;
  #wordsFor = 0;

  /** `alignRange` is the library's. */
  constructor(failureTemplate, alignRange) {
    this.#failureTemplate = failureTemplate;
    this.#alignRange = alignRange;
    this.#dialog.querySelector(".tiers").append(...TIERS.map((tier) => tierChoice(...tier)));
    this.#form.addEventListener("input", () => this.#showPart());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#go();
    });
    this.#dialog.addEventListener("click", (event) => {
      const action = event.target.closest("[data-action]")?.dataset.action;
      if (action === "close") this.#dialog.close();
      if (action === "forget") this.#dialog.close("forget");
    });
    this.#dialog.addEventListener("close", () => {
      // Browsers tell of it later: it may be about the form before, and the next one is already shown.
      if (!this.#dialog.open) this.#end(this.#dialog.returnValue);
    });
  }

  /**
   * Resolves with the job that `retrieve({range?, tier, signal})` gave; with `"forget"` when there is no such archive
   * any more and it is not to be listed; or with nothing. `range` and `tier` are what the form begins with.
   */
  ask({ title, size, range, tier, retrieve }) {
    const { extent, from, to } = this.#form.elements;
    const tooSmall = size <= SMALLEST_PIECE;
    this.#end("");
    this.#asked = { size, retrieve };
    this.#dialog.querySelector(".retrieval-what bdi").textContent = title;
    this.#dialog.querySelector(".retrieval-size").textContent = sizeInWords(size);
    this.#dialog.querySelector("#part-hint").textContent = tooSmall
      ? "It is too small to be cut: pieces begin at 1 MB."
      : "Only these bytes are fetched, and paid for.";
    extent[1].disabled = tooSmall;
    extent.value = range ? "part" : "whole";
    from.value = range ? range.start / MB : 0;
    to.value = range ? range.end / MB : size / MB;
    to.max = from.max = size / MB;
    this.#form.elements.tier.value = tier ?? TIERS[0][0];
    this.#settle({ busy: false });
    this.#showPart();
    this.#dialog.returnValue = "";
    this.#dialog.showModal();
    this.#form.querySelector("[name=extent]:checked").focus();
    return new Promise((resolve) => { this.#answer = resolve; });
  }

  #end(result) {
    this.#running?.abort();
    this.#running = undefined;
    this.#answer?.(result === "forget" ? result : result === "asked" ? this.#asked.job : undefined);
    this.#answer = undefined;
  }

  async #go() {
    if (this.#running) return;
    const { extent, from, tier } = this.#form.elements;
    const { size, retrieve } = this.#asked;
    const running = this.#running = new AbortController();
    this.#settle({ busy: true });
    try {
      const options = { tier: tier.value, signal: running.signal };
      if (extent.value === "part") {
        const range = await this.#alignRange(this.#range(), size);
        if (range.start > 0 || range.end < size) options.range = range;
      }
      const job = await retrieve(options);
      if (running !== this.#running) return;
      this.#asked.job = job;
      this.#dialog.close("asked");
    } catch (error) {
      if (running !== this.#running) return;
      this.#running = undefined;
      this.#settle({ busy: false, error });
      if (error.code === "INVALID_RANGE") from.focus();
    }
  }

  // What the two fields say, in bytes. The library judges it.
  #range() {
    const { from, to } = this.#form.elements;
    const end = Math.round(to.valueAsNumber * MB);
    return { start: Math.round(from.valueAsNumber * MB), end };
  }

  async #showPart() {
    const isPart = this.#form.elements.extent.value === "part";
    this.#dialog.querySelector(".part").hidden = !isPart;
    if (!isPart) return;
    const asked = this.#range();
    const { size } = this.#asked;
    const latest = ++this.#wordsFor; // only what was asked last is answered
    const aligned = await this.#alignRange(asked, size).catch(() => undefined);
    if (latest !== this.#wordsFor) return;
    this.#dialog.querySelector(".part-words").textContent = aligned
      ? alignedInWords(asked, aligned, size)
      : `It has to end after it begins, and inside the archive, which has ${size / MB} MB.`;
  }

  #settle({ busy, error }) {
    showFailure(this.#dialog.querySelector(".dialog-failure"), error, this.#failureTemplate, "retrieve");
    if (error?.code) this.#dialog.dataset.errorCode = error.code;
    else delete this.#dialog.dataset.errorCode;
    const submit = this.#dialog.querySelector("[type=submit]");
    submit.textContent = busy ? "Asking…" : "Ask for it";
    submit.setAttribute("aria-disabled", busy);
    this.#dialog.querySelector("[data-action=forget]").hidden = error?.code !== "ARCHIVE_NOT_FOUND";
  }
}

function tierChoice(value, name, words) {
  const label = document.createElement("label");
  label.className = "choice";
  const radio = document.createElement("input");
  Object.assign(radio, { type: "radio", name: "tier", value });
  const text = document.createElement("span");
  const strong = document.createElement("strong");
  strong.textContent = name;
  const hint = document.createElement("span");
  hint.className = "choice-hint";
  hint.textContent = words;
  text.append(strong, " ", hint);
  label.append(radio, text);
  return label;
}
