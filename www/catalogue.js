// Which archives a vault is known to hold: those of its last inventory, and those that this browser uploaded.

export class Catalogue {
  /** When the inventory was taken; `null` where none is known. */
  takenAt = null;

  #archives = new Map();
  // Kept, because sorting takes a hundred times as long as filtering.
  #sorted;
  #sortedBy;

  get size() {
    return this.#archives.size;
  }

  archive(archiveId) {
    return this.#archives.get(archiveId);
  }

  /** How many were uploaded here and are in no inventory yet. */
  get uninventoried() {
    let count = 0;
    for (const archive of this.#archives.values()) count += archive.inInventory ? 0 : 1;
    return count;
  }

  /** An archive that this browser uploaded. */
  addUpload({ archiveId, treeHash, size, name, description, storedAt }) {
    const known = this.#archives.get(archiveId);
    this.#put({ archiveId, treeHash, size, description, storedAt, ...known, name, uploadedTreeHash: treeHash });
  }

  /** Puts an inventory in the place of the one before: what only that one had is gone. */
  setInventory(takenAt, archives) {
    this.takenAt = takenAt;
    for (const archive of this.#archives.values()) {
      archive.inInventory = false;
      if (archive.uploadedTreeHash === undefined) this.remove(archive.archiveId);
    }
    for (const { archiveId, treeHash, size, description, createdAt } of archives) {
      const { name, uploadedTreeHash } = this.#archives.get(archiveId) ?? {};
      const storedAt = createdAt;
      this.#put({ archiveId, treeHash, size, description, storedAt, name, uploadedTreeHash, inInventory: true });
    }
  }

  remove(archiveId) {
    this.#archives.delete(archiveId);
    this.#sortedBy = undefined;
  }

  /** Archives whose description or file name has `filter` in it, by `sort`: `text`, `size` or `storedAt`. */
  select({ filter, sort, descending }) {
    const by = `${sort} ${descending}`;
    if (this.#sortedBy !== by) {
      const direction = descending ? -1 : 1;
      this.#sorted = [...this.#archives.values()].sort((a, b) => direction * compare(a, b, sort));
      this.#sortedBy = by;
    }
    const wanted = filter.trim().toLowerCase();
    return wanted === "" ? this.#sorted : this.#sorted.filter((archive) => archive.searched.includes(wanted));
  }

  /** What is kept of the inventory, as it was given. */
  inventoried() {
    return [...this.#archives.values()].filter((archive) => archive.inInventory)
      .map(({ archiveId, treeHash, size, description, storedAt }) =>
        ({ archiveId, treeHash, size, description, createdAt: storedAt }));
  }

  #put(archive) {
    archive.text = archive.description || archive.name || "";
    archive.searched = `${archive.description}\n${archive.name ?? ""}`.toLowerCase();
    this.#archives.set(archive.archiveId, archive);
    this.#sortedBy = undefined;
  }
}

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function compare(a, b, sort) {
  if (sort === "text") return collator.compare(a.text, b.text);
  return a[sort] - b[sort]; // of dates, too
}
