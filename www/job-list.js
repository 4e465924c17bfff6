// The jobs of one vault on the page: newest first, and only as many as one looks at.

const SHOWN_AT_FIRST = 10;

const byId = (id) => document.getElementById(id);

export class JobList {
  #templates;
  #rows = new Map();
  #rowOf = new WeakMap();
  #list = byId("job-list");
  #showsAll = false;

  /** `act(action, row)` does what a row's button says. */
  constructor(templates, act) {
    this.#templates = templates;
    this.#list.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-action]");
      const row = button && this.#rowOf.get(button.closest("[data-job]"));
      if (row) act(button.dataset.action, row);
    });
    byId("jobs-more").addEventListener("click", () => {
      const next = this.#list.children.length;
      this.#showsAll = true;
      this.render();
      this.#list.children[next]?.focus();
    });
  }

  /** Shows another vault's rows, a map by job ID. */
  show(rows) {
    this.#rows = rows;
    this.#showsAll = false;
    this.render();
  }

  /** Shows the rows there are now. */
  render() {
    const sorted = [...this.#rows.values()].sort((a, b) => b.job.createdAt - a.job.createdAt);
    const shown = this.#showsAll ? sorted : sorted.filter((row, at) => at < SHOWN_AT_FIRST || row.active);
    const elements = shown.map((row) => {
      if (!row.element) {
        row.render(this.#templates);
        this.#rowOf.set(row.element, row);
      }
      return row.element;
    });
    const isSame = elements.length === this.#list.children.length && elements.every((element, at) => element === this.#list.children[at]);
    if (!isSame) {
      const focused = document.activeElement;
      this.#list.replaceChildren(...elements);
      if (this.#list.contains(focused)) focused.focus({ preventScroll: true });
    }
    const hidden = sorted.length - shown.length;
    byId("jobs-more").hidden = hidden === 0;
    byId("jobs-more").textContent = `Show ${hidden} older`;
    byId("jobs-empty").hidden = sorted.length > 0;
  }
}
