// The first view: files in, rows out. What an upload is and when it is done is the library's business.

import { acceptDrops } from "./drop.js";
import { LeftBehind } from "./left-behind.js";
import { Total } from "./total.js";
import { UploadRow } from "./upload-row.js";
import { failureInWords, filesInWords } from "./words.js";

const RENDER_EVERY_MS = 250;
const LONG_LIST = 50; // rows
const WORK_FOR_MS = 12; // then the browser has its turn, so that thousands of files do not freeze the page

const byId = (id) => document.getElementById(id);

export class UploadView {
  #page;
  #list = byId("uploads");
  #leftBehind;
  #total = new Total(byId("total"));
  #rows = new Set();
  #rowOf = new WeakMap();
  #sentAs = new WeakMap(); // row → vault and description
  #changed = new Set();
  #renderTimer;
  #renderedAt = -Infinity;

  /**
   * What it needs of the page: `templates`, `announcer`, `confirmation`, `ready()` (a promise), `vault()`,
   * `uploaderFor(vault)`, and who is told: `onStored(archive)`, `onDenied()`, `onTotal(sum, share)`, `onDrop()`, and
   * `onLeft()`, when an upload that was continued has ended and may be one of those that are left behind again.
   */
  constructor(page) {
    this.#page = page;
    const { templates, announcer, confirmation } = page;
    this.#leftBehind = new LeftBehind({
      templates, announcer, confirmation,
      onContinued: (upload, unfinished) => this.#continue(upload, unfinished),
      runs: ({ name, size }) => [...this.#rows].some((row) => (row.active || row.resumable) && row.name === name && row.size === size),
    });
    byId("file-input").addEventListener("change", (event) => {
      const files = [...event.target.files];
      event.target.value = ""; // so that the same file can be chosen again
      this.#addFiles(files);
    });
    acceptDrops(({ files, folders }) => {
      page.onDrop();
      this.#addFiles(files, folders);
    }, (over) => { byId("drop-veil").hidden = !over; });
    this.#list.addEventListener("click", (event) => this.#onClick(event));
    byId("pause-all").addEventListener("click", () => this.#rows.forEach((row) => row.pause()));
    byId("resume-all").addEventListener("click", () => this.#rows.forEach((row) => row.resume()));
    byId("clear-finished").addEventListener("click", () => this.#remove([...this.#rows].filter((row) => row.clearable)));
    const online = () => this.#rows.forEach((row) => this.#onRowChanged(row, row.state));
    addEventListener("online", online);
    addEventListener("offline", online);
  }

  /** Whether leaving the page now would lose something. */
  get active() {
    return [...this.#rows].some((row) => row.active);
  }

  /** What is said instead of many sentences. */
  inWords() {
    return `${Total.words(Total.of(this.#rows))}.`;
  }

  /** Whether files are taken. */
  close(closed) {
    byId("drop").toggleAttribute("data-closed", closed);
    byId("file-input").disabled = closed;
  }

  /** Offers what earlier visits to the page left unfinished. */
  showLeftBehind(uploaders, options) {
    return this.#leftBehind.show(uploaders, options);
  }

  // Drawing: all changes since the last time, a few times a second

  #renderSoon(wait = Math.max(0, this.#renderedAt + RENDER_EVERY_MS - performance.now())) {
    this.#renderTimer ??= setTimeout(() => this.#render(), wait);
  }

  #render() {
    this.#renderTimer = undefined;
    this.#renderedAt = performance.now();
    this.#list.toggleAttribute("data-long", this.#rows.size > LONG_LIST);
    byId("upload-view").toggleAttribute("data-begun", this.#rows.size > 0);
    for (const row of this.#changed) {
      this.#changed.delete(row);
      row.render(this.#page.templates);
      if (performance.now() - this.#renderedAt > WORK_FOR_MS) break;
    }
    if (this.#changed.size > 0) return this.#renderSoon(0); // the rest first, then the sums
    const { sum, share } = this.#total.render(this.#rows);
    this.#page.onTotal(sum, share);
    if (sum.active > sum.paused) this.#renderSoon(); // speed and time left fall even while nothing arrives
  }

  #onRowChanged(row, was) {
    this.#changed.add(row);
    this.#renderSoon();
    if (row.state === was) return;
    const { announcer, onStored, onDenied } = this.#page;
    if (row.state === "done") {
      announcer.say(`${row.name} is stored and verified.`);
      onStored({ name: row.name, ...this.#sentAs.get(row), ...row.archive, storedAt: new Date() });
    }
    if (row.state === "paused") announcer.say(`${row.name} is paused.`);
    if (row.state === "aborted") announcer.say(`${row.name} is cancelled.`);
    if (row.state === "failed") {
      announcer.say(`${row.name}: ${failureInWords(row.error).title}.`);
      if (row.error.code?.startsWith("AUTH_")) onDenied();
    }
    if (row.continued && !row.active) this.#page.onLeft();
  }

  // Files in

  async #addFiles(files, folders = []) {
    const { announcer, templates, ready, vault: chosenVault, uploaderFor } = this.#page;
    await ready(); // files chosen before the page is ready wait for it
    if (byId("file-input").disabled) return;
    const vault = chosenVault();
    const uploader = await uploaderFor(vault);
    if (!uploader) return;
    const added = [];
    for (const file of files) if (!(await this.#leftBehind.take(file))) added.push(file);
    if (added.length + folders.length === 0) return;
    const description = byId("description").value;
    const changed = (row, was) => this.#onRowChanged(row, was);
    const fresh = [
      ...folders.map((name) => new UploadRow({ name, size: NaN }, refuseFolder, changed)),
      ...added.map((file) => {
        const sentAs = { vault, description };
        const row = new UploadRow(file, (failure) => {
          if (failure?.code === "INVALID_DESCRIPTION") sentAs.description = byId("description").value; // corrected, perhaps
          return uploader.add(file, sentAs.description === "" ? {} : { description: sentAs.description });
        }, changed);
        this.#sentAs.set(row, sentAs);
        return row;
      }),
    ];
    announcer.say(`${filesInWords(fresh.length)} added.`);
    let yieldAt = performance.now() + WORK_FOR_MS;
    for (const row of fresh) {
      this.#show(row);
      if (performance.now() < yieldAt) continue;
      await new Promise((resolve) => setTimeout(resolve));
      yieldAt = performance.now() + WORK_FOR_MS;
    }
  }

  #show(row) {
    this.#rows.add(row);
    row.start();
    row.render(this.#page.templates);
    this.#rowOf.set(row.element, row);
    this.#list.append(row.element);
  }

  #continue(upload, { name, size, vault, description = "" }) {
    const row = new UploadRow({ name, size }, () => upload, (row, was) => this.#onRowChanged(row, was));
    row.continued = true;
    this.#sentAs.set(row, { vault, description });
    this.#show(row);
    row.element.focus();
    this.#page.announcer.say(`${name} is continued.`);
  }

  // Buttons

  #onClick(event) {
    const button = event.target.closest("button[data-action]");
    const row = button && this.#rowOf.get(button.closest("[data-upload]"));
    if (!row || "copy" in button.dataset) return;
    if (button.dataset.action === "dismiss") return this.#remove([row]);
    row.act(button.dataset.action);
  }

  #remove(leaving) {
    const hadFocus = leaving.find((row) => row.element.contains(document.activeElement));
    const next = hadFocus?.element.nextElementSibling ?? hadFocus?.element.previousElementSibling ?? byId("file-input");
    for (const row of leaving) {
      this.#rows.delete(row);
      this.#changed.delete(row);
      row.element.remove();
    }
    if (hadFocus || document.activeElement === document.body) next.focus();
    this.#renderSoon();
  }
}

function refuseFolder() {
  throw { code: "IS_DIRECTORY", message: "A folder was dropped.", hint: "Add the files inside it.", retryable: false };
}
