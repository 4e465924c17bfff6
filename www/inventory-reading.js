// One inventory, read from the store into the catalogue.

const WORK_FOR_MS = 12; // then the browser has its turn

export class InventoryReading {
  /** `ready`, `reading`, `stopped` (by `error`) or `done`. */
  state = "ready";
  error;
  /** Archives read so far. */
  count = 0;

  #job;
  #read;
  #changed;

  /** `read(job)` gives an object with `add(archive)` and `end()`; `changed()` hears of everything. */
  constructor({ job, read, changed }) {
    this.#job = job;
    this.#read = read;
    this.#changed = changed;
  }

  get active() {
    return false; // nothing is lost: the store has the list for a day
  }

  actions() {
    switch (this.state) {
      case "ready":
      case "done":
        return ["show"];
      case "stopped":
        return this.error.code === "JOB_EXPIRED" || this.error.code === "INVENTORY_UNREADABLE" ? ["again"] : ["show"];
      default:
        return [];
    }
  }

  /** Reads it. The archives that came before a failure stay. */
  async act() {
    this.error = undefined;
    this.count = 0;
    this.#enter("reading");
    try {
      const list = this.#read(this.#job);
      let yieldAt = performance.now() + WORK_FOR_MS;
      for await (const archive of this.#job.archives()) {
        list.add(archive);
        this.count += 1;
        if (performance.now() < yieldAt) continue;
        this.#changed();
        await new Promise((resolve) => setTimeout(resolve));
        yieldAt = performance.now() + WORK_FOR_MS;
      }
      await list.end();
      this.#enter("done");
    } catch (error) {
      this.error = error;
      this.#enter("stopped");
    }
  }

  #enter(state) {
    this.state = state;
    this.#changed();
  }
}
