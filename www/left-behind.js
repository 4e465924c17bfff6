// Uploads that were under way when the page was closed: each asks for its file again, or is discarded.
//
// Scripts and tests may rely on `[data-left]` with data-upload-id and data-in-use, on the buttons' data-action (`continue`,
// `discard`), and on `#left-input`, which takes the file of the one whose Continue was pressed last.

import { showBar } from "./bar.js";
import { showFailure } from "./failure.js";
import { timeInWords } from "./retrieval-words.js";
import { percentInWords, sizeInWords } from "./words.js";

const LOOK_AGAIN_MS = 1_000;
const DAY_MS = 24 * 3_600_000;
const byId = (id) => document.getElementById(id);

export class LeftBehind {
  #page;
  #list = byId("left-list");
  #uploads = new Map(); // by upload ID
  #again; // a timer
  #wanted; // of the item whose file is being chosen

  /**
   * Of the page: `templates`, `confirmation`, `announcer`, `onContinued(upload, unfinished)`, and `runs(unfinished)`, which
   * says whether this page is at it itself.
   */
  constructor(page) {
    this.#page = page;
    this.#list.addEventListener("click", (event) => {
      const action = event.target.closest("button[data-action]")?.dataset.action;
      const item = event.target.closest("[data-left]");
      if (action === "discard") this.#discard(item);
      if (action !== "continue") return;
      this.#wanted = item.dataset.uploadId;
      byId("left-input").click();
    });
    byId("left-input").addEventListener("change", ({ target }) => {
      const [file] = target.files;
      target.value = ""; // so that the same file can be chosen again
      if (file) this.#continue(this.#wanted, file);
    });
  }

  /** Shows what the uploaders know of. `quietly` where nobody has to hear of it. */
  async show(uploaders, { quietly = false } = {}) {
    clearTimeout(this.#again);
    const found = (await Promise.all(uploaders.map((uploader) => uploader.unfinished()))).flat();
    const uploads = found.filter((upload) => !this.#page.runs(upload));
    this.#uploads = new Map(uploads.map((upload) => [upload.uploadId, upload]));
    const present = new Map([...this.#list.children].map((item) => [item.dataset.uploadId, item]));
    for (const [uploadId, item] of present) if (!this.#uploads.has(uploadId)) item.remove();
    for (const upload of uploads) this.#write(upload, present.get(upload.uploadId) ?? this.#build(upload));
    this.#showWhetherEmpty();
    // Another tab goes on with it until it has ended or is closed.
    if (uploads.some(({ inUse }) => inUse)) this.#again = setTimeout(() => this.show(uploaders, { quietly: true }), LOOK_AGAIN_MS);
    if (uploads.length === 0 || quietly) return;
    const names = uploads.length === 1 ? `${uploads[0].name} was` : `${uploads.length} uploads were`;
    this.#page.announcer.say(`${names} not finished when the page was closed. They can be continued.`);
  }

  /** Goes on with `file` where it is one of these by name, size and date; resolves with whether it does. */
  async take(file) {
    const same = ({ name, size, lastModified, inUse }) =>
      !inUse && name === file.name && size === file.size && lastModified === file.lastModified;
    const upload = [...this.#uploads.values()].find(same);
    return upload !== undefined && this.#continue(upload.uploadId, file);
  }

  async #continue(uploadId, file) {
    const unfinished = this.#uploads.get(uploadId);
    if (!unfinished) return false;
    const item = this.#itemOf(uploadId);
    let upload;
    try {
      upload = await unfinished.resume(file);
    } catch (error) {
      showFailure(item, error, this.#page.templates.failure, "continue");
      item.querySelector(".failure").setAttribute("role", "alert");
      item.querySelector("[data-action=continue]").focus();
      return false;
    }
    this.#forget(uploadId);
    this.#page.onContinued(upload, unfinished);
    return true;
  }

  async #discard(item) {
    const upload = this.#uploads.get(item.dataset.uploadId);
    let archive;
    const discarded = await this.#page.confirmation.ask({
      title: "Discard this upload?",
      text: `${upload.name}, ${storedInWords(upload)}. What is stored of it is deleted. The file on this device is not touched.`,
      label: "Discard it",
      doing: "discard",
      remove: async () => { archive = await upload.discard(); },
    });
    if (!discarded) return item.querySelector("[data-action=discard]")?.focus();
    const next = item.nextElementSibling ?? item.previousElementSibling ?? byId("file-input");
    this.#forget(upload.uploadId);
    next.focus();
    this.#page.announcer.say(archive
      ? `${upload.name} was complete already, and is an archive. It was not discarded.`
      : `${upload.name} is discarded.`);
  }

  #forget(uploadId) {
    this.#itemOf(uploadId)?.remove();
    this.#uploads.delete(uploadId);
    this.#showWhetherEmpty();
  }

  #build({ name, uploadId }) {
    const item = this.#page.templates["left-item"].content.firstElementChild.cloneNode(true);
    item.dataset.uploadId = uploadId;
    item.querySelector("bdi").textContent = name;
    item.querySelector(".bar").setAttribute("aria-label", name);
    for (const button of item.querySelectorAll("button")) button.setAttribute("aria-label", `${button.textContent} ${name}`);
    this.#list.append(item);
    return item;
  }

  #write(upload, item) {
    const { size, bytesConfirmed, inUse } = upload;
    item.dataset.inUse = inUse;
    showBar(item.querySelector(".bar"), {
      bytesTotal: size, bytesHashed: bytesConfirmed, bytesSent: bytesConfirmed, bytesConfirmed,
    });
    item.querySelector(".unfinished-about").textContent = aboutInWords(upload);
    item.querySelector(".actions").hidden = inUse;
  }

  #itemOf(uploadId) {
    return [...this.#list.children].find((item) => item.dataset.uploadId === uploadId);
  }

  #showWhetherEmpty() {
    byId("left").hidden = this.#uploads.size === 0;
  }
}

function storedInWords({ size, bytesConfirmed }) {
  return `${percentInWords(bytesConfirmed / size)} of ${sizeInWords(size)} stored`;
}

function aboutInWords(upload) {
  const { description, begunAt, savedAt, inUse } = upload;
  const words = [storedInWords(upload)];
  if (inUse) words.push("going on in another tab");
  else if (Date.now() - savedAt > DAY_MS) words.push("but a day ago, so that the store has probably dropped it and all is sent again");
  else words.push("choose the file again to continue");
  words.push(`begun on ${timeInWords(begunAt)}`);
  if (description !== undefined) words.push(`described as “${description}”`);
  return words.join(" · ");
}
