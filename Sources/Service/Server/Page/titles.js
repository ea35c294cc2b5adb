// What items are called.

export class Titles {
  #titles = new Map();
  #strangers = new Set();

  constructor(client) {
    this.client = client;
  }

  /** The title of an item, or its id. */
  of = (item) => this.#titles.get(item) ?? item;

  /** Whether the model is known not to know it. */
  isStranger = (item) => this.#strangers.has(item);

  /** Learns from items of a reply. */
  learn(items) {
    for (const { item, title, known = true } of items) {
      if (title) this.#titles.set(item, title);
      if (known) this.#strangers.delete(item);
      else this.#strangers.add(item);
    }
  }

  /** Asks for those that are not known yet. An item that nobody knows is called by its id. */
  async load(items) {
    const unknown = [...new Set(items)].filter((item) => !this.#titles.has(item) && item !== "." && item !== "..");
    await Promise.all(unknown.map(async (item) => {
      this.#titles.set(item, item);
      try {
        this.learn([await this.client.ask("GET", `v1/items/${encodeURIComponent(item)}`)]);
      } catch (error) {
        if (error.status === 404) this.#strangers.add(item);
        else this.#titles.delete(item);
      }
    }));
  }
}
