// One file on the page: follows its upload and offers what can be done with it.
//
// Scripts and tests may rely on the attributes of `[data-upload]`: data-state (an UploadState), data-progress (0 to 1,
// confirmed), data-size, and once known data-archive-id, data-tree-hash, data-error-code; and on the buttons'
// data-action.

import { showBar } from "./bar.js";
import { showFailure } from "./failure.js";
import { mayStartOver, paceInWords, percentInWords, sizeInWords, stateInWords } from "./words.js";

const LABELS = {
  cancel: "Cancel",
  dismiss: "Dismiss",
  pause: "Pause",
  resume: "Resume",
  retry: "Try again",
  "start-over": "Start over",
};
const ENDED = new Set(["done", "failed", "aborted"]);

export class UploadRow {
  /** Of the file; both are the only things shown of it. */
  name;
  size;
  /** An `UploadState`. `done` and `failed` only once the archive or the error is known. */
  state = "queued";
  progress;
  archive;
  error;
  /** The `<li>`, made when it is first shown. */
  element;
  cancelling = false;
  /** Whether an earlier visit began it. */
  continued = false;

  #add;
  #changed;
  #upload;
  #shown = {};

  /**
   * `add(failure)` hands the file to the uploader and may throw; `failure` is why it is done again. `changed(row, was)`
   * hears of every change, and of the state before.
   */
  constructor({ name, size }, add, changed) {
    this.name = name;
    this.size = size;
    const bytes = { bytesHashed: 0, bytesSent: 0, bytesConfirmed: 0, bytesTotal: size };
    this.progress = { ...bytes, bytesPerSecond: 0, etaMs: null };
    this.#add = add;
    this.#changed = changed;
  }

  /** Whether leaving the page would lose something. */
  get active() {
    return !ENDED.has(this.state);
  }

  /** Whether it failed and can go on from what the store has. */
  get resumable() {
    return this.state === "failed" && this.error.retryable && this.#upload !== undefined;
  }

  /** Whether nothing is lost when it leaves the list. */
  get clearable() {
    return !this.active && !this.resumable;
  }

  start() {
    const failure = this.error;
    this.error = undefined;
    this.cancelling = false;
    try {
      this.#follow(this.#add(failure));
    } catch (error) {
      this.#fail(error);
    }
  }

  pause() {
    if (this.actions().includes("pause")) this.#upload.pause();
  }

  resume() {
    if (this.actions().includes("resume")) this.#upload.resume();
  }

  async act(action) {
    switch (action) {
      case "pause":
        return this.pause();
      case "resume":
        return this.resume();
      case "retry":
        this.error = undefined;
        this.#enter("queued");
        this.#upload.resume();
        return this.#settle(this.#upload);
      case "cancel":
        return this.#cancel();
      case "start-over":
        this.cancelling = true;
        this.#changed(this, this.state);
        await this.#upload?.abort();
        return this.start();
    }
  }

  /** What can be done with it now, in the order of the buttons. */
  actions() {
    if (this.cancelling) return [];
    switch (this.state) {
      case "queued":
      case "hashing":
      case "uploading":
        return ["pause", "cancel"];
      case "completing":
        return ["cancel"];
      case "paused":
        return ["resume", "cancel"];
      case "failed":
        if (this.resumable) return ["retry", "cancel"];
        return mayStartOver(this.error) && !this.continued ? ["start-over", "dismiss"] : ["dismiss"];
      case "aborted":
        return ["dismiss"];
      default:
        return [];
    }
  }

  #follow(upload) {
    this.#upload = upload;
    this.progress = upload.progress;
    upload.on("progress", (progress) => {
      if (upload !== this.#upload) return;
      this.progress = progress;
      this.#changed(this, this.state);
    });
    upload.on("state", (state) => {
      // The ends are taken from done(), which also says with what.
      if (upload === this.#upload && !ENDED.has(state)) this.#enter(state);
    });
    this.#enter(ENDED.has(upload.state) ? "queued" : upload.state);
    this.#settle(upload);
  }

  async #settle(upload) {
    try {
      const archive = await upload.done();
      if (upload !== this.#upload) return;
      this.archive = archive;
      this.progress = upload.progress;
      this.#upload = undefined; // nothing more comes of it, and thousands of them take memory
      this.#enter("done");
    } catch (error) {
      if (upload !== this.#upload) return;
      if (error?.name === "AbortError") this.#enter("aborted");
      else this.#fail(error);
    }
  }

  async #cancel() {
    this.cancelling = true;
    this.#changed(this, this.state);
    const upload = this.#upload;
    await upload.abort();
    this.cancelling = false;
    // After a failure done() has already settled, so the end is entered here. It need not be the one that was wanted:
    // the archive may be complete by now, or the store may not say whether it is.
    if (upload.state === "failed") return this.#fail(upload.error);
    if (upload.state !== "aborted") return this.#changed(this, this.state);
    this.error = undefined;
    this.#enter("aborted");
  }

  #fail(error) {
    this.error = error;
    this.cancelling = false;
    this.#enter("failed");
  }

  #enter(state) {
    const was = this.state;
    this.state = state;
    this.#changed(this, was);
  }

  /** Writes what changed since it was last shown. */
  render(templates) {
    if (!this.element) this.#build(templates);
    const { state, progress, element } = this;
    const share = this.archive ? 1 : this.size > 0 ? Math.min(1, progress.bytesConfirmed / this.size) : 0;
    const words = stateInWords(state, { cancelling: this.cancelling, online: navigator.onLine });
    const pace = state === "uploading" && !this.cancelling ? paceInWords(progress.bytesPerSecond, progress.etaMs) : "";
    const percent = this.active && state !== "completing" && progress.bytesSent > 0 ? percentInWords(share) : "";
    this.#write("state", words, (text) => { element.querySelector(".upload-state").textContent = text; });
    this.#write("pace", [percent, pace].filter(Boolean).join(" · "), (text) => {
      element.querySelector(".upload-pace").textContent = text;
    });
    const bar = element.querySelector(".bar");
    if (this.active) showBar(bar, progress);
    bar.toggleAttribute("data-kept", this.resumable && progress.bytesSent > 0);
    this.#write("actions", this.actions().join(), () => this.#showActions());
    this.#write("failure", this.error, (error) => showFailure(element, error, templates.failure, this.continued ? "continue" : undefined));
    this.#write("proof", this.archive, (archive) => this.#showProof(archive, templates.proof));
    element.dataset.progress = share;
    this.#write("errorCode", this.error?.code, (code) => {
      if (code === undefined) delete element.dataset.errorCode;
      else element.dataset.errorCode = code;
    });
    this.#write("dataState", state, (value) => { element.dataset.state = value; });
  }

  #build(templates) {
    this.element = templates["upload-row"].content.firstElementChild.cloneNode(true);
    const name = this.element.querySelector(".upload-name");
    name.firstElementChild.textContent = this.name;
    name.title = this.name;
    if (Number.isFinite(this.size)) {
      this.element.dataset.size = this.size;
      this.element.querySelector(".upload-size").textContent = sizeInWords(this.size);
    }
    this.element.querySelector(".bar").setAttribute("aria-label", this.name);
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
      button.textContent = LABELS[action];
      button.setAttribute("aria-label", `${LABELS[action]} ${this.name}`);
      return button;
    }));
    // A keyboard user who pressed Pause stands on Resume now, not at the top of the page.
    if (hadFocus) (place.firstElementChild ?? this.element).focus();
  }

  #showProof(archive, template) {
    const proof = template.content.firstElementChild.cloneNode(true);
    const [id, hash] = proof.querySelectorAll("code");
    id.textContent = archive.archiveId;
    hash.textContent = archive.treeHash;
    proof.querySelector("[data-copy='Archive ID']").setAttribute("aria-label", `Copy archive ID of ${this.name}`);
    proof.querySelector("[data-copy='Tree hash']").setAttribute("aria-label", `Copy tree hash of ${this.name}`);
    this.element.dataset.archiveId = archive.archiveId;
    this.element.dataset.treeHash = archive.treeHash;
    this.element.append(proof);
  }
}
