// Uploads that were begun and never ended: what they hold, and a way to be rid of them.
//
// Scripts and tests may rely on `[data-incomplete]` with data-upload-id, and on the button's data-action (`remove`).

import { showFailure } from "./failure.js";
import { countInWords, timeInWords } from "./retrieval-words.js";
import { sizeInWords } from "./words.js";

const byId = (id) => document.getElementById(id);

export class IncompleteUploads {
  #page;
  #uploads = new Map();
  #list = byId("incomplete-list");

  /** Of the page: `templates`, `confirmation`, `announcer`, `onError(error)`. */
  constructor(page) {
    this.#page = page;
    this.#list.addEventListener("click", (event) => {
      const item = event.target.closest("[data-action=remove]")?.closest("[data-incomplete]");
      if (item) this.#remove(item);
    });
  }

  /** Asks the store for those of `vault`. */
  async show(vault, signal) {
    const section = byId("incomplete");
    const uploads = new Map();
    try {
      for await (const upload of vault.uploads({ signal })) uploads.set(upload.uploadId, upload);
    } catch (error) {
      if (error?.name === "AbortError") return;
      showFailure(section, error, this.#page.templates.failure, "look");
      return this.#page.onError(error);
    }
    if (signal.aborted) return;
    showFailure(section, undefined, this.#page.templates.failure);
    this.#uploads = uploads;
    const present = new Map([...this.#list.children].map((item) => [item.dataset.uploadId, item]));
    this.#list.replaceChildren(...[...uploads.values()].map((upload) => present.get(upload.uploadId) ?? this.#build(upload)));
    this.#showWhetherEmpty();
    await this.#weigh([...uploads.values()], signal);
  }

  // What each holds takes requests of its own, so it comes later, one after the other.
  async #weigh(uploads, signal) {
    for (const upload of uploads) {
      let bytes = 0;
      try {
        for await (const { range } of upload.parts({ signal })) bytes += range.end - range.start;
      } catch {
        continue; // ended meanwhile, perhaps; its row says enough
      }
      const item = this.#itemOf(upload.uploadId);
      if (item) item.querySelector(".unfinished-about").textContent = aboutInWords(upload, bytes);
    }
  }

  async #remove(item) {
    const upload = this.#uploads.get(item.dataset.uploadId);
    const name = nameOf(upload);
    const removed = await this.#page.confirmation.ask({
      title: "Remove this unfinished upload?",
      text: `${name}, begun on ${timeInWords(upload.createdAt)}. Its pieces are deleted. If it is still running, here or on `
        + "another device, it fails. Archives that are stored already are not touched.",
      label: "Remove the upload",
      doing: "remove-upload",
      remove: async (signal) => {
        try {
          await upload.abort({ signal });
        } catch (error) {
          this.#page.onError(error);
          throw error;
        }
      },
    });
    if (!removed) return item.querySelector("button")?.focus();
    const next = item.nextElementSibling ?? item.previousElementSibling ?? byId("incomplete-heading");
    this.#uploads.delete(upload.uploadId);
    item.remove();
    this.#showWhetherEmpty();
    next.focus();
    this.#page.announcer.say(`${name} is removed.`);
  }

  #build(upload) {
    const item = this.#page.templates["incomplete-item"].content.firstElementChild.cloneNode(true);
    const name = nameOf(upload);
    item.dataset.uploadId = upload.uploadId;
    item.querySelector("bdi").textContent = name;
    item.querySelector(".unfinished-about").textContent = aboutInWords(upload);
    item.querySelector("button").setAttribute("aria-label", `Remove ${name}`);
    return item;
  }

  #itemOf(uploadId) {
    return [...this.#list.children].find((item) => item.dataset.uploadId === uploadId);
  }

  #showWhetherEmpty() {
    byId("incomplete-empty").hidden = this.#uploads.size > 0;
  }
}

const nameOf = ({ uploadId, description }) => description || `Upload ${uploadId.slice(0, 12)}…`;

function aboutInWords({ createdAt, partSize }, bytes) {
  const words = [`Begun on ${timeInWords(createdAt)}`, `in pieces of ${sizeInWords(partSize)}`];
  if (bytes === 0) words.push("no piece has arrived");
  const pieces = Math.ceil(bytes / partSize);
  if (bytes > 0) words.push(`${sizeInWords(bytes)} in ${pieces === 1 ? "one piece" : `${countInWords(pieces)} pieces`} so far`);
  return words.join(" · ");
}
