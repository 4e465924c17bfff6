// The list of archives, a page at a time: of 25,000 only 25 are ever in the document.
//
// Scripts and tests may rely on `[data-archive]` with data-archive-id and data-size, and on the buttons' data-action
// (`retrieve`, `delete`) and data-page.

import { countInWords, timeInWords } from "./retrieval-words.js";
import { sizeInWords } from "./words.js";

const PER_PAGE = 25;
const FILTER_AFTER_MS = 120;

const byId = (id) => document.getElementById(id);

export class ArchiveTable {
  #catalogue;
  #template;
  #act;
  #page = 0;
  #order = { filter: "", sort: "storedAt", descending: true };
  #rows = byId("archive-rows");
  #filterTimer;

  /** `act(action, archive, row)` does what a row's button says. */
  constructor(template, act) {
    this.#template = template;
    this.#act = act;
    byId("archive-filter").addEventListener("input", () => {
      clearTimeout(this.#filterTimer);
      this.#filterTimer = setTimeout(() => this.#reorder({ filter: byId("archive-filter").value }), FILTER_AFTER_MS);
    });
    byId("archive-table").tHead.addEventListener("click", (event) => {
      const sort = event.target.closest("[data-sort]")?.dataset.sort;
      if (!sort) return;
      // Names from A, but the newest and the largest first.
      const descending = sort === this.#order.sort ? !this.#order.descending : sort !== "text";
      this.#reorder({ sort, descending });
    });
    byId("archive-pages").addEventListener("click", (event) => this.#turn(event.target.closest("[data-page]")));
    this.#rows.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-action]");
      const row = button?.closest("[data-archive]");
      const archive = row && this.#catalogue.archive(row.dataset.archiveId);
      if (archive) this.#act(button.dataset.action, archive, row);
    });
  }

  /** Shows another vault's archives, from the first page. */
  show(catalogue) {
    this.#catalogue = catalogue;
    this.#page = 0;
    byId("archive-filter").value = "";
    this.#order.filter = "";
    this.render();
  }

  /** Shows what is known now. The page and the focus stay where they are, as far as they can. */
  render() {
    const found = this.#catalogue.select(this.#order);
    const total = this.#catalogue.size;
    const pages = Math.max(1, Math.ceil(found.length / PER_PAGE));
    this.#page = Math.min(this.#page, pages - 1);
    const first = this.#page * PER_PAGE;
    const shown = found.slice(first, first + PER_PAGE);
    byId("archive-tools").hidden = total === 0;
    byId("archive-table").hidden = found.length === 0;
    byId("archive-pages").hidden = pages === 1;
    this.#write(byId("archive-count"), this.#countInWords(found.length, total));
    this.#write(byId("archive-page"),
      `${countInWords(first + 1)} to ${countInWords(first + shown.length)} of ${countInWords(found.length)}`);
    for (const button of byId("archive-pages").querySelectorAll("button")) {
      const isBack = button.dataset.page === "first" || button.dataset.page === "previous";
      // Not `disabled`: a button that is disabled under the finger loses the focus.
      button.setAttribute("aria-disabled", isBack ? this.#page === 0 : this.#page === pages - 1);
    }
    for (const button of byId("archive-table").querySelectorAll("[data-sort]")) {
      const sorted = button.dataset.sort === this.#order.sort;
      const header = button.closest("th");
      if (sorted) header.setAttribute("aria-sort", this.#order.descending ? "descending" : "ascending");
      else header.removeAttribute("aria-sort");
    }
    this.#fill(shown);
  }

  /** Puts the focus where the archive was that has gone. */
  focusNear(index) {
    const rows = this.#rows.children;
    (rows[Math.min(index, rows.length - 1)] ?? byId("archives-list-heading")).focus();
  }

  #countInWords(found, total) {
    if (found === total) return total === 1 ? "1 archive" : `${countInWords(total)} archives`;
    return `${countInWords(found)} of ${countInWords(total)} archives`;
  }

  #reorder(change) {
    Object.assign(this.#order, change);
    this.#page = 0;
    this.render();
  }

  #turn(button) {
    if (!button || button.getAttribute("aria-disabled") === "true") return;
    const last = Math.ceil(this.#catalogue.select(this.#order).length / PER_PAGE) - 1;
    this.#page = { first: 0, previous: this.#page - 1, next: this.#page + 1, last }[button.dataset.page];
    this.render();
    byId("archive-table").scrollIntoView({ block: "nearest" });
  }

  // Rows that stay are kept, with their open details and the focus in them.
  #fill(archives) {
    const present = new Map([...this.#rows.children].map((row) => [row.dataset.archiveId, row]));
    const rows = archives.map((archive) => {
      const row = present.get(archive.archiveId) ?? this.#template.content.firstElementChild.cloneNode(true);
      this.#describe(row, archive);
      return row;
    });
    const unchanged = rows.length === this.#rows.children.length && rows.every((row, at) => row === this.#rows.children[at]);
    if (unchanged) return;
    const focused = document.activeElement;
    this.#rows.replaceChildren(...rows);
    if (this.#rows.contains(focused)) focused.focus({ preventScroll: true });
  }

  #describe(row, archive) {
    const title = archive.text || "No description";
    row.dataset.archiveId = archive.archiveId;
    row.dataset.size = archive.size;
    const name = row.querySelector(".archive-name bdi");
    this.#write(name, title);
    name.toggleAttribute("data-none", archive.text === "");
    this.#write(row.querySelector(".archive-from"), knownFrom(archive));
    this.#write(row.querySelector(".archive-size"), sizeInWords(archive.size));
    const time = row.querySelector("time");
    this.#write(time, timeInWords(archive.storedAt));
    time.dateTime = archive.storedAt.toISOString();
    const [id, hash] = row.querySelectorAll("code");
    this.#write(id, archive.archiveId);
    this.#write(hash, archive.treeHash);
    row.querySelector("[data-action=retrieve]").setAttribute("aria-label", `Get back ${title}`);
    row.querySelector("[data-action=delete]").setAttribute("aria-label", `Delete ${title}`);
    row.querySelector("[data-copy='Archive ID']").setAttribute("aria-label", `Copy archive ID of ${title}`);
    row.querySelector("[data-copy='Tree hash']").setAttribute("aria-label", `Copy tree hash of ${title}`);
  }

  #write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }
}

function knownFrom({ name, description, uploadedTreeHash, inInventory }) {
  if (uploadedTreeHash === undefined) return "";
  const as = description && name !== description ? ` as ${name}` : "";
  return `Uploaded in this browser${as}${inInventory ? "" : " · not in an inventory yet"}`;
}
