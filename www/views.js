// Views of one page, named by the address (`#upload`, `#archives`): a link, the back button and a bookmark all work.
// A view that is left stays as it is, and what runs in it goes on.

export class Views {
  #views;
  #changed;
  #progress = "";

  /** `sections` are `[data-view]` with `data-title` and an `<h1>`; the first is shown where the address names none. */
  constructor(sections, changed) {
    this.#views = new Map(sections.map((section) => [section.dataset.view, section]));
    this.#changed = changed;
    addEventListener("hashchange", () => {
      this.#show();
      scrollTo(0, 0);
      this.#section.querySelector("h1").focus({ preventScroll: true });
    });
    this.#show();
  }

  /** The name of the view that is shown. */
  get current() {
    return this.#section.dataset.view;
  }

  /** Goes to a view, as a link to it would. */
  show(name) {
    if (this.current !== name) location.hash = name;
  }

  /** How far the uploads are: it stands in the title whatever is shown. */
  set progress(text) {
    this.#progress = text;
    this.#showTitle();
  }

  get #section() {
    const [first] = this.#views.values();
    return this.#views.get(location.hash.slice(1)) ?? first;
  }

  #show() {
    const shown = this.#section;
    for (const section of this.#views.values()) section.hidden = section !== shown;
    for (const link of document.querySelectorAll("nav a")) {
      if (link.hash === `#${this.current}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    document.body.dataset.shows = this.current;
    this.#showTitle();
    this.#changed(this.current);
  }

  #showTitle() {
    const title = [this.#progress, this.#section.dataset.title, "Glacier Upload"].filter(Boolean).join(" · ");
    if (document.title !== title) document.title = title;
  }
}
