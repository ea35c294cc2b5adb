// The server, and what can go wrong with it in sentences.

/** How long the page waits for a reply, in milliseconds. */
const patience = 20_000;

/** What went wrong, for people. `status` is 0 where there was no reply. */
export class Trouble extends Error {
  constructor(sentence, status = 0, field = "") {
    super(sentence);
    this.status = status;
    this.field = field;
  }
}

export class Client {
  /** The API key, in this object only; empty where the server has asked for none. */
  key = "";

  /** The body of the reply. Throws a Trouble, or the AbortError of `signal`. */
  async ask(method, path, body, signal) {
    const headers = {};
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (this.key) headers.Authorization = `Bearer ${this.key}`;
    const limit = AbortSignal.timeout(patience);
    try {
      const reply = await fetch(path, {
        method, headers, body: JSON.stringify(body), signal: signal ? AbortSignal.any([signal, limit]) : limit,
      });
      const content = await reply.json();
      if (reply.ok) return content;
      throw this.#trouble(reply, content);
    } catch (error) {
      if (error instanceof Trouble || error.name === "AbortError") throw error;
      if (error.name === "TimeoutError") throw new Trouble("The server takes too long to answer.");
      throw new Trouble(
        error instanceof SyntaxError ? "The server’s answer makes no sense." : "The server does not answer. Is it running?");
    }
  }

  #trouble(reply, problem) {
    const detail = problem?.detail ?? reply.statusText;
    const wait = Number(reply.headers.get("Retry-After")) || 1;
    const sentence = {
      401: this.key ? "The server does not know this key." : "This server asks for a key.",
      403: `The server does not allow that: ${detail}.`,
      503: `The server cannot take this now: ${detail}. Try again in ${wait === 1 ? "a second" : `${wait} seconds`}.`,
      507: "The server’s disk is full. Nothing was stored; recommendations still work.",
    }[reply.status];
    const refusal = reply.status >= 500 ? "Something went wrong in the server" : "The server refuses this";
    return new Trouble(sentence ?? `${refusal}: ${detail}.`, reply.status, problem?.field);
  }
}
