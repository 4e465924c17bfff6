// One inventory, read from the store. It is used when it is complete, so that a damaged one takes nothing away.

const WORK_FOR_MS = 12; // then the browser has its turn

export class InventoryReading {
  /** `ready`, `reading`, `stopped` (by `error`) or `done`. */
  state = "ready";
  error;
  /** Archives read so far. */
  count = 0;

  #job;
  #use;
  #changed;

  /** `use(archives, job)` does something with the whole list; `changed()` hears of everything. */
  constructor({ job, use, changed }) {
    this.#job = job;
    this.#use = use;
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

  /** Reads it, whatever the button is called. */
  async act() {
    this.error = undefined;
    this.count = 0;
    this.#enter("reading");
    try {
      const archives = [];
      let yieldAt = performance.now() + WORK_FOR_MS;
      for await (const archive of this.#job.archives()) {
        this.count = archives.push(archive);
        if (performance.now() < yieldAt) continue;
        this.#changed();
        await new Promise((resolve) => setTimeout(resolve));
        yieldAt = performance.now() + WORK_FOR_MS;
      }
      await this.#use(archives, this.#job);
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
