// The vaults this page may use, and what the store counts in each.

import { showFailure } from "./failure.js";
import { countInWords, dayInWords, timeInWords } from "./retrieval-words.js";
import { sizeInWords } from "./words.js";

export class VaultList {
  #list = document.getElementById("vault-list");
  #templates;

  /** `open(name)` goes to another vault. */
  constructor(templates, open) {
    this.#templates = templates;
    this.#list.addEventListener("click", (event) => {
      const button = event.target.closest("[data-action=open]");
      if (!button) return;
      const item = button.closest("[data-vault-name]");
      open(item.dataset.vaultName);
      item.focus(); // its button is gone now
    });
  }

  /** Shows the vaults of these names, `current` among them. */
  show(names, current) {
    const items = new Map([...this.#list.children].map((item) => [item.dataset.vaultName, item]));
    const shown = names.map((name) => items.get(name) ?? this.#build(name));
    if (shown.some((item, at) => item !== this.#list.children[at])) this.#list.replaceChildren(...shown);
    for (const item of shown) {
      const isCurrent = item.dataset.vaultName === current;
      if (isCurrent) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
      item.querySelector("[data-action=open]").hidden = isCurrent;
    }
  }

  /** Asks the store what is in a vault. */
  async describe(vault, signal) {
    const item = [...this.#list.children].find((item) => item.dataset.vaultName === vault.name);
    if (!item) return;
    const write = (fact, text) => { item.querySelector(`[data-fact=${fact}]`).textContent = text; };
    try {
      const { archives, size, createdAt, lastInventoryAt } = await vault.describe({ signal });
      showFailure(item, undefined, this.#templates.failure);
      write("archives", countInWords(archives));
      write("size", sizeInWords(Number(size)));
      write("made", dayInWords(createdAt));
      write("inventory", lastInventoryAt === null ? "none yet" : timeInWords(lastInventoryAt));
    } catch (error) {
      if (error?.name === "AbortError") return;
      showFailure(item, error, this.#templates.failure, "look");
      throw error;
    }
  }

  #build(name) {
    const item = this.#templates["vault-item"].content.firstElementChild.cloneNode(true);
    item.dataset.vaultName = name;
    item.querySelector(".vault-name bdi").textContent = name;
    item.querySelector("[data-action=open]").setAttribute("aria-label", `Open ${name}`);
    for (const fact of item.querySelectorAll("[data-fact]")) fact.textContent = "…";
    return item;
  }
}
