// Whose events they are: a user of the server's log, or a session that only this page knows.
//
// Both have `events`, the latest first, and answer with recommendations.

import { Trouble } from "./client.js";

/** Recommendations that a page shows, and how many events it lists at a time. */
const best = 10;
const pageSize = 20;

/** A user whose events lie in the server's log. */
export class User {
  events = [];
  /** Where the earlier events begin; undefined where all are here. */
  next;

  constructor(client, name) {
    this.client = client;
    this.name = name;
  }

  /** The user's events and recommendations, as they are now. */
  async open() {
    await this.loadEvents();
    return this.#recommendations();
  }

  /** The latest events, or those before the earliest that is here. */
  async loadEvents() {
    const before = this.next ? `&before=${encodeURIComponent(this.next)}` : "";
    const page = await unlessMissing(this.client.ask("GET", `${this.#path}/events?limit=${pageSize}${before}`));
    this.events = this.events.concat(page?.events ?? []);
    this.next = page?.next;
  }

  /** Appends an event, whose id makes it safe to try again. */
  async add(event) {
    const reply = await this.client.ask("POST", `${this.#path}/events?recommend=${best}&explain=true`, event);
    const [receipt] = reply.events;
    if (!this.events.some(({ position }) => position === receipt.position)) this.events.unshift({ ...event, ...receipt });
    if (reply.problem) throw new Trouble(`The event is stored, but there is no answer: ${reply.problem.detail}.`, reply.problem.status);
    return { ...reply.recommendations, durability: reply.durability };
  }

  /** Forgets one event. */
  async forget(event) {
    await unlessMissing(this.client.ask("DELETE", `${this.#path}/events/position:${event.position}`));
    this.events = this.events.filter((other) => other !== event);
    return this.#recommendations();
  }

  /** Forgets the user. */
  async forgetAll() {
    await unlessMissing(this.client.ask("DELETE", this.#path));
    this.events = [];
    this.next = undefined;
    return this.#recommendations();
  }

  /** What a program sends instead of this page: method, path and body. */
  request(item) {
    return [`${this.#path}/events?recommend=${best}`, { item }];
  }

  get #path() {
    return `v1/users/${encodeURIComponent(this.name)}`;
  }

  #recommendations() {
    return this.client.ask("GET", `${this.#path}/recommendations?n=${best}&explain=true`);
  }
}

/** A session: the server stores nothing, its state travels as a sealed token. */
export class Session {
  events = [];
  next;
  #known = 0;
  #token;

  constructor(client) {
    this.client = client;
  }

  open() {
    return this.#recommend([]);
  }

  async add({ item }) {
    const answer = await this.#recommend([{ item }]);
    const latest = answer.items[0]?.explanation?.terms[0];
    const known = answer.knownEvents > this.#known;
    this.#known = answer.knownEvents;
    this.events.unshift({ item, known, timestamp: known ? latest?.timestamp : undefined });
    return answer;
  }

  /** A token cannot lose an event: the state is computed again from the others. */
  forget(event) {
    return this.#begin(this.events.filter((other) => other !== event));
  }

  forgetAll() {
    return this.#begin([]);
  }

  request(item) {
    return ["v1/sessions/recommendations", { events: [{ item }], n: best }];
  }

  /** Characters that the session takes on its way. */
  get size() {
    return this.#token?.length ?? 0;
  }

  async #begin(events) {
    const answer = await this.#send(again(events));
    this.events = events;
    this.#known = answer.knownEvents;
    return answer;
  }

  async #recommend(added) {
    try {
      return await this.#send(added, this.#token);
    } catch (error) {
      if (!(error instanceof Trouble) || error.field !== "token") throw error;
      return await this.#send([...again(this.events), ...added]); // The server has another key by now.
    }
  }

  async #send(events, token) {
    const body = { events, token, n: best, explain: true };
    const answer = await this.client.ask("POST", "v1/sessions/recommendations", body);
    this.#token = answer.token;
    return answer;
  }
}

/** Events as they are sent once more, the first one first. One whose time is not known happened no later than the next. */
function again(events) {
  let time;
  return events.map(({ item, timestamp }) => ({ item, timestamp: (time = timestamp ?? time) })).reverse();
}

/** The reply, or undefined where there is nothing of that name: what was to be forgotten is. */
async function unlessMissing(reply) {
  try {
    return await reply;
  } catch (error) {
    if (error.status !== 404) throw error;
  }
}
