// The second view: what is stored, and how to get it back. Nothing is asked of the store before it is looked at.

import { ArchiveTable } from "./archive-table.js";
import { Catalogue } from "./catalogue.js";
import { removeUnusedPrivateFiles } from "./download-place.js";
import { showFailure } from "./failure.js";
import { IncompleteUploads } from "./incomplete-uploads.js";
import { JobList } from "./job-list.js";
import { JobRow } from "./job-row.js";
import { RetrievalForm } from "./retrieval-form.js";
import { knownInWords } from "./retrieval-words.js";
import { VaultList } from "./vault-list.js";
import { failureInWords } from "./words.js";

const RENDER_EVERY_MS = 200;

const byId = (id) => document.getElementById(id);

export class ArchivesView {
  #page;
  #vaults;
  #names;
  #known = new Map(); // what is known of each vault that was opened, with its running downloads
  #current;
  #looking = new AbortController();
  #changed = new Set();
  #renderTimer;
  #form;
  #vaultList;
  #jobList;
  #table;
  #incomplete;

  /**
   * Of the page: `templates`, `announcer`, `confirmation`, `remembered`; and who is told: `onDenied()`, `onActivity()` (something
   * began or ended that leaving would interrupt), `onVault(name)` (another vault was chosen here).
   */
  constructor(page) {
    this.#page = page;
    const { templates } = page;
    this.#vaultList = new VaultList(templates, page.onVault);
    this.#jobList = new JobList(templates, (action, row) => this.#actOnJob(action, row));
    this.#table = new ArchiveTable(templates["archive-item"], (action, archive, row) => this.#actOnArchive(action, archive, row));
    this.#incomplete = new IncompleteUploads({
      templates, announcer: page.announcer, confirmation: page.confirmation, onError: (error) => this.#noteDenial(error),
    });
    byId("jobs-refresh").addEventListener("click", () => this.#loadJobs(this.#current));
    byId("incomplete-refresh").addEventListener("click", () => this.#incomplete.show(this.#current.vault, this.#looking.signal));
    byId("take-inventory").addEventListener("click", () => this.#takeInventory());
    const online = () => this.#current?.rows.forEach((row) => this.#onRowChanged(row));
    addEventListener("online", online);
    addEventListener("offline", online);
  }

  /** `vaults` and `alignRange` are the library's, `names` those that the page may use. */
  start({ vaults, alignRange, names }) {
    this.#vaults = vaults;
    this.#names = names;
    this.#form = new RetrievalForm(this.#page.templates.failure, alignRange);
    removeUnusedPrivateFiles(async () => (await this.#page.remembered.downloads()).map(({ fileName }) => fileName));
  }

  /** Whether leaving the page now would interrupt something. */
  get active() {
    return [...this.#known.values()].some(({ rows }) => [...rows.values()].some((row) => row.active));
  }

  /** What is said instead of many sentences. */
  inWords() {
    const rows = [...(this.#current?.rows.values() ?? [])];
    const count = (state) => rows.filter((row) => row.state === state).length;
    return `${count("waiting")} on the way, ${count("ready")} ready, ${count("downloading")} downloading, ${count("done")} done.`;
  }

  /** Shows a vault as it is now. */
  async open(name) {
    if (!this.#vaults || !name) return;
    this.#looking.abort();
    this.#looking = new AbortController();
    const known = this.#current = this.#know(name);
    this.#vaultList.show(this.#names, name);
    this.#jobList.show(known.rows);
    await known.loaded;
    if (known !== this.#current) return;
    this.#table.show(known.catalogue);
    this.#showKnown();
    this.#describe(known);
    const { signal } = this.#looking;
    await Promise.all([this.#loadJobs(known), this.#incomplete.show(known.vault, signal)]);
    if (!signal.aborted) document.documentElement.dataset.archivesReady = name;
  }

  /** An archive that this browser has just uploaded. */
  async addUpload(archive) {
    await this.#page.remembered.keepUpload(archive);
    const known = this.#known.get(archive.vault);
    if (!known) return;
    await known.loaded;
    known.catalogue.addUpload(archive);
    this.#showKnown();
  }

  #know(name) {
    let known = this.#known.get(name);
    if (known) return known;
    known = { name, vault: this.#vaults.vault(name), catalogue: new Catalogue(), rows: new Map() };
    known.loaded = this.#recall(known);
    this.#known.set(name, known);
    return known;
  }

  async #recall({ name, catalogue }) {
    const { remembered } = this.#page;
    const [uploads, inventory] = await Promise.all([remembered.uploads(name), remembered.inventory(name)]);
    if (inventory) catalogue.setInventory(inventory.takenAt, inventory.archives);
    for (const upload of uploads) catalogue.addUpload(upload);
  }

  // Every other vault, too: which one has what is why the list is there.
  #describe(current) {
    for (const name of [current.name, ...this.#names.filter((name) => name !== current.name)]) {
      this.#vaultList.describe(this.#vaults.vault(name), this.#looking.signal).catch((error) => this.#noteDenial(error));
    }
  }

  // Jobs

  async #loadJobs(known) {
    const section = byId("jobs");
    const { signal } = this.#looking;
    const listed = new Set();
    try {
      for await (const job of known.vault.jobs({ signal })) {
        if (job.action === "Select") continue;
        listed.add(job.jobId);
        const row = known.rows.get(job.jobId);
        if (row) row.act("watch"); // where nobody answered before
        else this.#addJob(known, job);
      }
    } catch (error) {
      if (error?.name === "AbortError") return;
      showFailure(section, error, this.#page.templates.failure, "look");
      return this.#noteDenial(error);
    }
    showFailure(section, undefined, this.#page.templates.failure);
    for (const [jobId, row] of known.rows) {
      if (!listed.has(jobId) && !row.busy) known.rows.delete(jobId);
    }
    if (known === this.#current) this.#jobList.render();
  }

  #addJob(known, job) {
    const about = job.archiveId === null ? undefined : known.catalogue.archive(job.archiveId);
    const row = new JobRow({
      job,
      about,
      fileName: fileNameOf(job, about),
      remembered: this.#page.remembered,
      use: (archives, job) => this.#useInventory(known, archives, job),
      changed: (row) => this.#onRowChanged(row),
    });
    known.rows.set(job.jobId, row);
    return row;
  }

  #onRowChanged(row) {
    this.#changed.add(row);
    this.#renderTimer ??= setTimeout(() => this.#render(), RENDER_EVERY_MS);
    if (row.state === row.announced) return;
    const wasWaiting = row.announced === "waiting";
    row.announced = row.state;
    this.#page.onActivity();
    this.#announce(row, wasWaiting);
    if (wasWaiting && row.state === "ready" && row.isShownWhenReady) row.showList();
    if (row.error) this.#noteDenial(row.error);
  }

  #announce(row, wasWaiting) {
    const { announcer } = this.#page;
    const { title } = row;
    if (wasWaiting && row.state === "ready") announcer.say(`${title} is ready.`);
    if (row.state === "paused") announcer.say(`The download of ${title} is paused.`);
    if (row.state === "aborted") announcer.say(`The download of ${title} is cancelled.`);
    if (row.state === "done") announcer.say(row.doneInWords());
    if (row.error) announcer.say(`${title}: ${failureInWords(row.error, "retrieve").title}.`);
  }

  #render() {
    this.#renderTimer = undefined;
    for (const row of this.#changed) if (row.element) row.render(this.#page.templates);
    this.#changed.clear();
  }

  async #actOnJob(action, row) {
    if (action !== "again") return row.act(action);
    if (row.isInventory) return this.#takeInventory();
    const { archiveId, archiveSize, range, tier } = row.job;
    const isPart = range !== null && range.end - range.start < archiveSize;
    const about = { archiveId, size: archiveSize, text: row.title };
    return this.#retrieve(about, { tier, ...(isPart ? { range } : {}) });
  }

  // Archives

  async #actOnArchive(action, archive, row) {
    if (action === "retrieve") await this.#retrieve(archive);
    else await this.#delete(archive, row);
  }

  async #retrieve(archive, preset = {}) {
    const known = this.#current;
    const title = archive.text || "Archive without a description";
    const job = await this.#form.ask({
      title,
      size: archive.size,
      ...preset,
      retrieve: async (options) => {
        try {
          const description = /^[\x20-\x7e]{1,1024}$/.test(archive.text) ? { description: archive.text } : {};
          return await known.vault.retrieve(archive.archiveId, { ...options, ...description });
        } catch (error) {
          this.#noteDenial(error);
          throw error;
        }
      },
    });
    if (job === "forget") return this.#forget(known, archive);
    if (!job) return;
    const row = this.#addJob(known, job);
    this.#jobList.render();
    row.element.focus();
    row.element.scrollIntoView({ block: "nearest" });
    this.#page.announcer.say(`${title} is asked for.`);
  }

  async #delete(archive, row) {
    const known = this.#current;
    const title = archive.text || "This archive without a description";
    const index = [...row.parentElement.children].indexOf(row);
    const removed = await this.#page.confirmation.ask({
      title: "Delete this archive for good?",
      text: `${title} is removed from the vault ${known.name}. Nothing brings it back. Amazon charges for archives that are `
        + "deleted within 90 days as if they had stayed.",
      label: "Delete for good",
      doing: "delete",
      remove: async (signal) => {
        try {
          await known.vault.archives.delete(archive.archiveId, { signal });
        } catch (error) {
          if (error.code === "ARCHIVE_NOT_FOUND") return; // gone is as good
          this.#noteDenial(error);
          throw error;
        }
      },
    });
    if (!removed) return row.querySelector("[data-action=delete]")?.focus();
    await this.#forget(known, archive);
    this.#table.focusNear(index);
    this.#page.announcer.say(`${title} is deleted.`);
    this.#vaultList.describe(known.vault, this.#looking.signal).catch(() => {});
  }

  async #forget(known, { archiveId }) {
    const wasInInventory = known.catalogue.archive(archiveId)?.inInventory;
    known.catalogue.remove(archiveId);
    this.#showKnown();
    await this.#page.remembered.forgetUpload(known.name, archiveId);
    if (wasInInventory) await this.#keepInventory(known);
  }

  // Inventories

  async #takeInventory() {
    const known = this.#current;
    const panel = byId("archives-panel");
    const button = byId("take-inventory");
    if (!known || button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    try {
      const row = this.#addJob(known, await known.vault.inventory());
      row.isShownWhenReady = true;
      row.announced = "waiting";
      showFailure(panel, undefined, this.#page.templates.failure);
      this.#jobList.render();
      this.#page.announcer.say("The inventory is asked for. It appears here when it is ready.");
    } catch (error) {
      showFailure(panel, error, this.#page.templates.failure, "look");
      this.#noteDenial(error);
    } finally {
      button.setAttribute("aria-disabled", "false");
    }
  }

  async #useInventory(known, archives, job) {
    known.catalogue.setInventory(job.completedAt ?? job.createdAt, archives);
    this.#showKnown();
    await this.#keepInventory(known);
  }

  #keepInventory({ name, catalogue }) {
    const { takenAt } = catalogue;
    return this.#page.remembered.keepInventory({ vault: name, takenAt, archives: catalogue.inventoried() });
  }

  #showKnown() {
    const known = this.#current;
    if (!known) return;
    const { takenAt, uninventoried, size: total } = known.catalogue;
    byId("known").textContent = knownInWords({ takenAt, uninventoried, total }, this.#page.remembered.forgetful);
    byId("archives-empty").hidden = total > 0;
    byId("archives-empty").textContent = takenAt === null
      ? "This browser knows of no archive in this vault yet. Upload a file, or take an inventory to see what other devices have stored."
      : "The vault was empty when the inventory was taken.";
    this.#table.render();
  }

  #noteDenial(error) {
    if (error?.code?.startsWith("AUTH_")) this.#page.onDenied();
  }
}

// What a download is called: as the file was, where this browser sent it.
function fileNameOf(job, about) {
  const described = about?.text || job.description || "";
  const safe = described.replace(/[^\p{L}\p{N} ._()-]+/gu, "-").replace(/^[. ]+|[. ]+$/g, "").slice(0, 120);
  const name = about?.name ?? (safe || `archive-${job.archiveId?.slice(0, 8)}`);
  const { start, end } = job.range ?? { start: 0, end: job.archiveSize };
  return end - start === job.archiveSize ? name : `${name}.bytes-${start}-${end - 1}`;
}
