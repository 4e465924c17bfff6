// One retrieved archive on its way to a file: where it goes, how far it is, and how it is taken up again later.

import { newPlace, oldPlace, removePrivateFile, saveAs } from "./download-place.js";

const REMEMBER_EVERY_MS = 2000;

export class ArchiveDownload {
  /** `ready`, `interrupted` (on an earlier visit), `starting`, a `DownloadState`, or `stopped` (by `error`). */
  state = "ready";
  progress;
  error;
  /** What it ended with. */
  downloaded;
  /** Whether it is less than the whole archive. */
  isPart;

  #job;
  #name;
  #treeHash;
  #key;
  #bytes;
  #remembered;
  #changed;
  #download;
  #place;
  #earlier;
  #rememberedAt = -Infinity;

  /**
   * `name` is offered as the file's. `treeHash` is the whole archive's, where this browser computed it itself.
   * `changed()` hears of everything.
   */
  constructor({ job, name, treeHash, remembered, changed }) {
    const { start, end } = job.range ?? { start: 0, end: job.archiveSize };
    this.#job = job;
    this.#name = name;
    this.#bytes = end - start;
    this.isPart = this.#bytes !== job.archiveSize;
    this.#treeHash = this.isPart ? undefined : treeHash;
    // Of what comes out, not of the job: what was begun with one job goes on with the next.
    this.#key = `${job.vault}/${job.archiveId}/${start}-${end}`;
    this.#remembered = remembered;
    this.#changed = changed;
    this.progress = { bytesReceived: 0, bytesDelivered: 0, bytesTotal: this.#bytes, bytesPerSecond: 0, etaMs: null };
    this.#findEarlier();
  }

  /** Whether it can be called by the name of an archive that this browser uploaded. */
  get knownHere() {
    return this.#treeHash !== undefined && this.#treeHash === this.downloaded?.treeHash;
  }

  /** Whether leaving the page would interrupt it. */
  get active() {
    return ["starting", "checking", "downloading"].includes(this.state);
  }

  actions() {
    switch (this.state) {
      case "ready":
      case "aborted":
        return ["download"];
      case "interrupted":
        return ["continue", "start-over"];
      case "checking":
      case "downloading":
        return ["pause", "cancel"];
      case "paused":
        return ["resume", "cancel"];
      case "stopped":
        if (this.error.code === "JOB_EXPIRED") return ["again"];
        return this.#download && this.error.retryable ? ["retry", "cancel"] : ["start-over"];
      case "done":
        return this.#place.fileName === undefined ? (this.downloaded.blob ? ["save"] : []) : ["save", "discard"];
      default:
        return [];
    }
  }

  /** Does what a button says. While a click is handled: the browser asks for a file, or for permission, only then. */
  async act(action) {
    switch (action) {
      case "download":
      case "start-over":
        return this.#begin(() => newPlace(this.#name, this.#bytes));
      case "continue":
        return this.#begin(() => oldPlace(this.#earlier), this.#earlier.checkpoint);
      case "pause":
        return this.#download.pause();
      case "resume":
        return this.#download.resume();
      case "retry":
        this.#download.resume();
        return this.#follow();
      case "cancel":
        return this.#cancel();
      case "save":
        return this.#save();
      case "discard":
        return this.#discard();
    }
  }

  async #findEarlier() {
    this.#earlier = await this.#remembered.download(this.#key);
    if (this.#earlier && this.state === "ready") this.#enter("interrupted");
  }

  async #begin(choosePlace, from) {
    const before = { state: this.state, error: this.error };
    this.error = undefined;
    this.#enter("starting");
    try {
      const place = await choosePlace();
      if (!place) {
        this.error = before.error; // changed their mind
        return this.#enter(before.state);
      }
      if (from === undefined) await this.#forget();
      this.#place = place;
      const options = {};
      if (from !== undefined) options.from = from;
      if (this.#treeHash !== undefined) options.treeHash = this.#treeHash;
      this.#download = this.#job.download(place.handle, options);
      await this.#keep(from);
    } catch (error) {
      this.#download = undefined;
      return this.#stop(error);
    }
    this.#follow();
  }

  async #follow() {
    const download = this.#download;
    this.error = undefined;
    this.progress = download.progress;
    this.#enter(download.state);
    const offs = [
      download.on("progress", (progress) => {
        this.progress = progress;
        this.#keepSometimes();
        this.#changed();
      }),
      download.on("state", (state) => {
        if (state === "paused") this.#keep();
        // The ends are taken from done(), which also says with what.
        if (!["done", "failed", "aborted"].includes(state)) this.#enter(state);
      }),
    ];
    try {
      const downloaded = await download.done();
      this.progress = download.progress;
      await this.#finish(downloaded);
    } catch (error) {
      if (error?.name === "AbortError") return;
      await this.#keep();
      this.#stop(error);
    } finally {
      offs.forEach((off) => off());
    }
  }

  async #finish(downloaded) {
    await this.#remembered.forgetDownload(this.#key);
    this.#earlier = undefined;
    this.downloaded = downloaded;
    this.#enter("done");
    await this.#save();
  }

  // The person chose the file before, or now gets it as any other download.
  async #save() {
    const { handle, fileName } = this.#place;
    if (fileName !== undefined) saveAs(await handle.getFile(), this.#name);
    else if (this.downloaded.blob) saveAs(this.downloaded.blob, this.#name);
  }

  async #discard() {
    await removePrivateFile(this.#place.fileName);
    this.#place = {};
    this.#changed();
  }

  async #cancel() {
    await this.#download.abort();
    await this.#forget();
    this.#download = undefined;
    this.error = undefined;
    this.#enter("aborted");
  }

  async #forget() {
    const fileName = this.#place?.fileName ?? this.#earlier?.fileName;
    if (fileName !== undefined) await removePrivateFile(fileName);
    this.#place = this.#earlier = undefined;
    await this.#remembered.forgetDownload(this.#key);
  }

  #keepSometimes() {
    if (performance.now() - this.#rememberedAt > REMEMBER_EVERY_MS) this.#keep();
  }

  async #keep(checkpoint = this.#download?.checkpoint) {
    const { handle, fileName } = this.#place ?? {};
    if (!handle) return; // memory does not outlive the page
    this.#rememberedAt = performance.now();
    const place = fileName === undefined ? { handle } : { fileName };
    if (checkpoint) await this.#remembered.keepDownload({ key: this.#key, checkpoint, ...place });
  }

  #stop(error) {
    this.error = error;
    this.#enter("stopped");
  }

  #enter(state) {
    this.state = state;
    this.#changed();
  }
}
