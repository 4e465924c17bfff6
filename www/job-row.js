// One job on the page: waits for the store, and then shows what is done with what the job made.
//
// Scripts and tests may rely on the attributes of `[data-job]`: data-job-id, data-action (as of the job), data-state
// (`waiting`, `lost`, `failed`, or the state of the download or the inventory), data-progress (0 to 1, checked), and
// once known data-verified, data-tree-hash, data-error-code; and on the buttons' data-action.

import { ArchiveDownload } from "./archive-download.js";
import { showDownloadBar } from "./bar.js";
import { placeInWords } from "./download-place.js";
import { showFailure } from "./failure.js";
import { InventoryReading } from "./inventory-reading.js";
import { countInWords, jobInWords, rangeInWords, rowStateInWords, verdictInWords, waitingInWords } from "./retrieval-words.js";
import { paceInWords, percentInWords, sizeInWords } from "./words.js";

const LABELS = {
  again: "Ask again",
  cancel: "Cancel",
  continue: "Continue",
  discard: "Remove the browser’s copy",
  download: "Download",
  pause: "Pause",
  resume: "Resume",
  retry: "Try again",
  save: "Save again",
  show: "Show the list",
  "start-over": "Start over",
  watch: "Look again",
};
const MAIN = new Set(["continue", "download", "show"]);

export class JobRow {
  /** The `<li>`, made when it is first shown. */
  element;
  job;
  title;
  /** The state that was last told of, and whether to show the list without being told to: the view's. */
  announced;
  isShownWhenReady = false;
  /** Where the job itself has come to: `waiting`, `lost` (nobody answers), `failed` or `ready`. */
  #end;
  #endError;
  #work;
  #changed;
  #shown = {};

  /**
   * `about` is the archive as far as it is known, and `fileName` what a download of it is called. `use` is for
   * InventoryReading. `changed(row)` hears of everything.
   */
  constructor({ job, about, fileName, remembered, use, changed }) {
    this.job = job;
    this.#changed = () => changed(this);
    this.isInventory = job.action === "InventoryRetrieval";
    this.title = this.isInventory ? "Inventory" : about?.text || job.description || `Archive ${job.archiveId.slice(0, 12)}…`;
    this.#work = this.isInventory
      ? new InventoryReading({ job, use, changed: this.#changed })
      : new ArchiveDownload({
        job, remembered, name: fileName, treeHash: about?.uploadedTreeHash, changed: this.#changed,
      });
    this.#settle();
    if (this.#end === "waiting") this.#watch();
  }

  get state() {
    return this.#end === "ready" ? this.#work.state : this.#end;
  }

  get error() {
    return this.#endError ?? this.#work.error;
  }

  /** Whether leaving the page would interrupt something. */
  get active() {
    return this.#work.active;
  }

  /** Whether it is of this page now, whatever the store lists. */
  get busy() {
    return this.state === "waiting" || !["ready", "lost", "failed"].includes(this.state);
  }

  actions() {
    switch (this.#end) {
      case "waiting":
        return [];
      case "lost":
        return ["watch"];
      case "failed":
        return ["again"];
      default:
        return this.#work.actions();
    }
  }

  /** Does what a button says, but for `again`, which is the view's. */
  act(action) {
    if (!this.actions().includes(action)) return undefined;
    return action === "watch" ? this.#watch() : this.#work.act(action);
  }

  /** What is said aloud when all is there. */
  doneInWords() {
    if (this.isInventory) return `The inventory is shown: ${countInWords(this.#work.count)} archives.`;
    const [verdict] = verdictInWords(this.#work.downloaded, this.#work);
    return `${this.title} is downloaded. ${verdict}.`;
  }

  /** Shows the list of an inventory without being told to. */
  showList() {
    if (this.actions().includes("show")) this.#work.act("show");
  }

  async #watch() {
    this.#endError = undefined;
    this.#end = "waiting";
    this.#changed();
    try {
      await this.job.done();
      this.#settle();
    } catch (error) {
      this.#endError = error;
      this.#end = error.code === "JOB_FAILED" || error.code === "JOB_EXPIRED" ? "failed" : "lost";
    }
    this.#changed();
  }

  #settle() {
    this.#end = { InProgress: "waiting", Succeeded: "ready", Failed: "failed" }[this.job.status];
    if (this.#end !== "failed") return;
    this.#endError = { code: "JOB_FAILED", message: this.job.statusMessage ?? "", retryable: false };
  }

  /** Writes what changed since it was last shown. */
  render(templates) {
    if (!this.element) this.#build(templates);
    const { job, state, element, isInventory } = this;
    const work = this.#work;
    this.#text(".upload-size", this.#sizeInWords());
    this.#text(".job-about", jobInWords(job));
    const words = { isInventory, online: navigator.onLine };
    this.#text(".upload-state", state === "lost" ? "The store does not answer" : rowStateInWords(state, words));
    this.#text(".upload-pace", this.#paceInWords());
    this.#note(state === "waiting" ? waitingInWords(job) : state === "ready" && !isInventory ? placeInWords(this.#bytes) : "");
    const bar = element.querySelector(".bar");
    bar.hidden = isInventory || !["starting", "checking", "downloading", "paused", "stopped"].includes(state);
    if (!isInventory && !bar.hidden) showDownloadBar(bar, work.progress);
    const share = state === "done" ? 1 : isInventory ? 0 : work.progress.bytesDelivered / work.progress.bytesTotal;
    element.dataset.progress = share;
    this.#write("actions", this.actions().join(), () => this.#showActions());
    const doing = isInventory ? "look" : "retrieve";
    this.#write("failure", this.error, (error) => showFailure(element, error, templates.failure, doing));
    this.#write("verdict", work.downloaded, (downloaded) => this.#showVerdict(downloaded, templates.verdict));
    if (this.error?.code) element.dataset.errorCode = this.error.code;
    else delete element.dataset.errorCode;
    this.#write("state", state, (value) => { element.dataset.state = value; });
  }

  get #bytes() {
    return this.#work.progress.bytesTotal;
  }

  #sizeInWords() {
    if (this.isInventory) return "";
    if (!this.#work.isPart) return sizeInWords(this.#bytes);
    return `${sizeInWords(this.#bytes)} of ${sizeInWords(this.job.archiveSize)}, ${rangeInWords(this.job.range)}`;
  }

  #paceInWords() {
    const { state, progress, count } = this.#work;
    if (this.isInventory) return count > 0 ? `${countInWords(count)} archives` : "";
    if (!["checking", "downloading", "paused"].includes(state)) return "";
    const percent = percentInWords(progress.bytesDelivered / progress.bytesTotal);
    const pace = state === "downloading" ? paceInWords(progress.bytesPerSecond, progress.etaMs) : "";
    return [percent, pace].filter(Boolean).join(" · ");
  }

  #build(templates) {
    this.element = templates["job-item"].content.firstElementChild.cloneNode(true);
    const { job, element, title } = this;
    element.querySelector(".upload-name bdi").textContent = title;
    element.querySelector(".bar").setAttribute("aria-label", `Download of ${title}`);
    element.dataset.jobId = job.jobId;
    element.dataset.action = job.action;
    if (job.archiveId !== null) element.dataset.archiveId = job.archiveId;
  }

  #note(text) {
    this.#text(".job-note", text);
    this.element.querySelector(".job-note").hidden = text === "";
  }

  #text(selector, text) {
    this.#write(selector, text, () => { this.element.querySelector(selector).textContent = text; });
  }

  #write(key, value, write) {
    if (this.#shown[key] === value && key in this.#shown) return;
    if (value === undefined && !(key in this.#shown)) return;
    this.#shown[key] = value;
    write(value);
  }

  #showActions() {
    const place = this.element.querySelector(".upload-foot .actions");
    const hadFocus = place.contains(document.activeElement);
    place.replaceChildren(...this.actions().map((action) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.action = action;
      button.className = MAIN.has(action) ? "button-strong" : "";
      button.textContent = LABELS[action];
      button.setAttribute("aria-label", `${LABELS[action]}: ${this.title}`);
      return button;
    }));
    if (hadFocus) (place.firstElementChild ?? this.element).focus();
  }

  #showVerdict(downloaded, template) {
    const { knownHere, isPart } = this.#work;
    const verdict = template.content.firstElementChild.cloneNode(true);
    const [title, text] = verdictInWords(downloaded, { knownHere, isPart });
    verdict.dataset.verified = this.element.dataset.verified = downloaded.verified;
    verdict.querySelector(".verdict-title").textContent = title;
    verdict.querySelector(".verdict-text").textContent = text;
    verdict.querySelector("code").textContent = this.element.dataset.treeHash = downloaded.treeHash;
    verdict.querySelector("button").setAttribute("aria-label", `Copy tree hash of ${this.title}`);
    this.element.querySelector(".verdict")?.remove();
    this.element.append(verdict);
  }
}
