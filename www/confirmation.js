// Asks before anything is removed, does it, and says why where it could not be done.

import { showFailure } from "./failure.js";

export class Confirmation {
  #dialog = document.getElementById("confirmation");
  #failureTemplate;
  #asked;
  #answer;
  #running;

  constructor(failureTemplate) {
    this.#failureTemplate = failureTemplate;
    this.#dialog.addEventListener("click", (event) => {
      if (event.target.closest("[data-action=close]")) this.#dialog.close();
    });
    this.#dialog.addEventListener("close", () => {
      // Browsers tell of it later: it may be about the question before, and the next one is already asked.
      if (!this.#dialog.open) this.#end(this.#dialog.returnValue === "removed");
    });
    this.#dialog.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#go();
    });
  }

  /**
   * Resolves with whether it was done. `remove(signal)` does it and may throw an error, which is shown where the
   * question was; `doing` tells failure.js what was not allowed.
   */
  ask({ title, text, label, remove, doing }) {
    const dialog = this.#dialog;
    this.#end(false);
    dialog.querySelector("h2").textContent = title;
    dialog.querySelector("#confirmation-text").textContent = text;
    dialog.querySelector("[type=submit]").textContent = label;
    dialog.querySelector("[data-action=close]").textContent = "Keep it";
    this.#settle({ busy: false });
    this.#asked = { remove, doing };
    dialog.returnValue = "";
    dialog.showModal();
    dialog.querySelector("[data-action=close]").focus(); // the harmless one
    return new Promise((resolve) => { this.#answer = resolve; });
  }

  #end(removed) {
    this.#running?.abort();
    this.#running = undefined;
    this.#answer?.(removed);
    this.#answer = undefined;
  }

  async #go() {
    if (this.#running) return;
    const { remove, doing } = this.#asked;
    const running = this.#running = new AbortController();
    this.#settle({ busy: true });
    try {
      await remove(running.signal);
      if (running === this.#running) this.#dialog.close("removed");
    } catch (error) {
      if (running !== this.#running) return;
      this.#running = undefined;
      this.#settle({ busy: false, error, doing });
    }
  }

  #settle({ busy, error, doing }) {
    const dialog = this.#dialog;
    showFailure(dialog.querySelector(".dialog-failure"), error, this.#failureTemplate, doing);
    if (error?.code) dialog.dataset.errorCode = error.code;
    else delete dialog.dataset.errorCode;
    const submit = dialog.querySelector("[type=submit]");
    submit.setAttribute("aria-disabled", busy);
    submit.hidden = error !== undefined && !error.retryable;
    if (error) {
      dialog.querySelector("[data-action=close]").textContent = "Close";
      dialog.querySelector("[data-action=close]").focus();
    }
  }
}
