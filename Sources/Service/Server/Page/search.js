// A field that finds items while one types: a combobox with a list, after the ARIA Authoring Practices.

import { element, named } from "./dom.js";

/** How long to wait for another letter before asking, in milliseconds. */
const pause = 120;

export class Search {
  #items = [];
  #active = -1;
  #asking = new AbortController();

  /** `find(text, signal)` returns items with titles; `choose(item)` gets the one that was chosen; `fail(error)` what went wrong. */
  constructor({ input, listbox, note, find, choose, fail }) {
    Object.assign(this, { input, listbox, note, find, choose, fail });
    input.addEventListener("input", () => this.#search());
    input.addEventListener("keydown", (event) => this.#press(event));
    input.addEventListener("blur", () => this.#close());
    input.addEventListener("focus", () => input.value && this.#search());
    listbox.addEventListener("pointerdown", (event) => event.preventDefault()); // The field keeps the focus.
    listbox.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.#take([...listbox.children].indexOf(option));
    });
  }

  async #search() {
    this.#asking.abort();
    const text = this.input.value.trim();
    if (!text) return this.#close();
    const { signal } = (this.#asking = new AbortController());
    try {
      await new Promise((resolve) => setTimeout(resolve, pause));
      const items = signal.aborted ? [] : await this.find(text, signal);
      if (!signal.aborted) this.#show(items, text);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.#close();
      this.fail(error);
    }
  }

  #show(items, text) {
    this.#items = items;
    this.listbox.replaceChildren(...items.map(option));
    this.listbox.hidden = items.length === 0;
    this.input.setAttribute("aria-expanded", String(items.length > 0));
    this.note.textContent = items.length ? "" : `Nothing is called “${text}”.`;
    this.#activate(items.length ? 0 : -1);
  }

  #close() {
    this.#asking.abort();
    this.#show([], "");
    this.note.textContent = "";
  }

  #press(event) {
    const last = this.#items.length - 1;
    switch (event.key) {
      case "ArrowDown":
        if (last < 0) this.#search();
        else this.#activate(this.#active === last ? 0 : this.#active + 1);
        break;
      case "ArrowUp":
        if (last >= 0) this.#activate(this.#active <= 0 ? last : this.#active - 1);
        break;
      case "Enter":
        if (this.#active >= 0) this.#take(this.#active);
        break;
      case "Escape":
        if (last < 0) this.input.value = "";
        this.#close();
        break;
      default:
        return;
    }
    event.preventDefault();
  }

  #activate(index) {
    this.#active = index;
    for (const [position, node] of [...this.listbox.children].entries()) {
      node.setAttribute("aria-selected", String(position === index));
    }
    const node = this.listbox.children[index];
    if (!node) return this.input.removeAttribute("aria-activedescendant");
    this.input.setAttribute("aria-activedescendant", node.id);
    node.scrollIntoView({ block: "nearest" });
  }

  #take(index) {
    const item = this.#items[index];
    this.input.value = "";
    this.#close();
    this.choose(item);
  }
}

function option({ item, title, categories }, index) {
  const node = element("li", { role: "option", id: `found-${index}`, "aria-selected": "false" }, named(title ?? item));
  if (categories?.length) node.append(" ", element("span", { class: "quiet" }, categories.join(", ")));
  return node;
}
