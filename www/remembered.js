// What this browser remembers between visits: archives it uploaded, the last inventory of each vault, and downloads that
// were begun. Kept in IndexedDB. Where that is forbidden all is as good until the page is closed.

const NAME = "glacier-upload";
const VERSION = 1;
const KEYS = { uploads: ["vault", "archiveId"], inventories: "vault", downloads: "key" };

export class Remembered {
  #opened = open(); // at once, so that what is to be kept is kept before somebody closes the page
  #failed = false;

  constructor() {
    this.#opened.catch(() => {}); // told to whoever asks
  }

  /** Whether something could not be kept: it will be gone with the page. */
  get forgetful() {
    return this.#failed;
  }

  /** Archives uploaded to `vault`: `{vault, archiveId, treeHash, size, name, description, storedAt}`. */
  uploads(vault) {
    return this.#run("uploads", "readonly", (store) => store.getAll(IDBKeyRange.bound([vault], [vault, []])), []);
  }

  keepUpload(archive) {
    return this.#run("uploads", "readwrite", (store) => store.put(archive));
  }

  forgetUpload(vault, archiveId) {
    return this.#run("uploads", "readwrite", (store) => store.delete([vault, archiveId]));
  }

  /** `{vault, takenAt, archives}`, or `undefined`. */
  inventory(vault) {
    return this.#run("inventories", "readonly", (store) => store.get(vault));
  }

  keepInventory(inventory) {
    return this.#run("inventories", "readwrite", (store) => store.put(inventory));
  }

  /** Downloads begun and neither finished nor given up: `{key, checkpoint, bytesTotal, handle? or fileName?}`. */
  download(key) {
    return this.#run("downloads", "readonly", (store) => store.get(key));
  }

  downloads() {
    return this.#run("downloads", "readonly", (store) => store.getAll(), []);
  }

  keepDownload(download) {
    return this.#run("downloads", "readwrite", (store) => store.put(download));
  }

  forgetDownload(key) {
    return this.#run("downloads", "readwrite", (store) => store.delete(key));
  }

  async #run(name, mode, act, otherwise) {
    try {
      const database = await this.#opened;
      const transaction = database.transaction(name, mode);
      const request = act(transaction.objectStore(name));
      await new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = transaction.onerror = () => reject(transaction.error);
      });
      return request.result ?? otherwise;
    } catch {
      this.#failed = true; // no room, or not allowed to: the page goes on without
      return otherwise;
    }
  }
}

async function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      for (const [name, keyPath] of Object.entries(KEYS)) request.result.createObjectStore(name, { keyPath });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
