// The page at `/`: events in by clicks, the ten best items out, and what moved them.

import { Client, Trouble } from "./client.js";
import { button, byID, count, countOf, duration, element, quoted } from "./dom.js";
import { itemsNamed } from "./explanation.js";
import { BestList, EventList } from "./lists.js";
import { Search } from "./search.js";
import { Session, User } from "./subjects.js";
import { Titles } from "./titles.js";

const client = new Client();
const titles = new Titles(client);
const best = new BestList(byID("best"), (item) => add(item));
const events = new EventList(byID("events"), forget);

let subject = new User(client, "");
let answer; // the last one
let model; // the one that answers
let work = Promise.resolve(); // one thing after the other

// What a person can do.

function add(item) {
  const event = { item, eventId: newID() };
  if (answer?.items.some((each) => each.item === item)) event.recommendationId = answer.recommendationId;
  perform(() => subject.add(event), "one step of the state", (newcomers) =>
    `Added ${titles.of(item)}. ${duration(answer.timing.stepMicroseconds, true)} for the step. ` +
    `${newcomers ? `${count(newcomers)} new among the ten best. ` : ""}First is ${first()}.`);
}

function forget(event) {
  perform(() => subject.forget(event), "the state without it", () => `Forgot ${titles.of(event.item)}. First is ${first()}.`);
}

function forgetAll() {
  perform(() => subject.forgetAll(), "an empty state", () => `Forgot everything. First is ${first()}.`);
}

function open(next) {
  [subject, answer] = [next, undefined];
  showRequest();
  perform(() => next.open(), "finding the state", () => `${countOf(answer.events, "event")}. First is ${first()}.`);
}

const first = () => (answer.items.length ? titles.of(answer.items[0].item) : "nothing");

/**
 * Does something after what is under way, and shows the answer or the trouble. `label` says what happened to the state, where something did;
 * `news` says it all to those who listen.
 */
function perform(action, label, news) {
  const whose = subject;
  const isCurrent = () => subject === whose;
  const attempt = async () => {
    if (!isCurrent()) return;
    const start = performance.now();
    try {
      const next = await action();
      const trip = 1000 * (performance.now() - start);
      titles.learn(next.items);
      await titles.load([...whose.events.map(({ item }) => item), ...next.items.flatMap(namesOf)]);
      if (!isCurrent()) return;
      const compares = answer !== undefined;
      answer = next;
      if (label) showFigures(label, trip);
      await show(compares, news);
    } catch (error) {
      if (isCurrent()) showTrouble(error, () => (work = work.then(attempt)));
    }
  };
  work = work.then(attempt);
}

const namesOf = ({ explanation }) => (explanation ? itemsNamed(explanation) : []);

// What they see of it.

async function show(compares, news) {
  hideTrouble();
  events.show(subject.events, titles);
  const newcomers = best.show(answer, titles.of, compares);
  byID("news").textContent = news(newcomers);
  byID("basis").textContent = basis();
  byID("events-count").textContent = answer.events ? countOf(answer.events, "event") : "None yet: choose an item.";
  byID("search").placeholder = answer.items.some(({ title }) => title) ? "Search titles" : "Search items";
  byID("earlier").hidden = !subject.next;
  byID("forget-all").hidden = answer.events === 0;
  byID("session-note").textContent = subject.size ? `The state travels as ${countOf(subject.size, "character")}, sealed.` : "";
  showRequest();
  if (model?.version !== answer.modelVersion) await showModel();
}

function basis() {
  const popular = answer.events ? "The model knows none of these events." : "Nothing has happened yet.";
  return {
    history: "Choose one: it becomes the next event.",
    popularity: `${popular} These are the most popular.`,
    none: `${popular} There is nothing to go by.`,
  }[answer.basis];
}

function showFigures(label, trip) {
  byID("step-label").textContent = label;
  byID("step").textContent = duration(answer.timing.stepMicroseconds);
  byID("rank").textContent = duration(answer.timing.rankMicroseconds);
  const disk = { full: ", stored on disk", relaxed: ", not on disk yet" };
  byID("trip-label").textContent = `there and back${disk[answer.durability] ?? ""}`;
  byID("trip").textContent = duration(trip);
}

async function showModel() {
  const reply = await client.ask("GET", "v1/models").catch(() => undefined); // The next answer tries again.
  model = reply?.models.find(({ version }) => version === answer.modelVersion);
  byID("model").textContent = [`model ${answer.modelVersion}`, model?.summary].filter(Boolean).join(", ");
  byID("rank-label").textContent = model?.items ? `ranking ${countOf(model.items, "item")}` : "ranking all items";
}

function showRequest() {
  const [path, body] = subject.request(answer?.items[0]?.item ?? "ITEM");
  const key = client.key ? ` --oauth2-bearer KEY` : "";
  byID("shell").textContent = `curl${key} --json ${quoted(JSON.stringify(body))} ${quoted(new URL(path, document.baseURI).href)}`;
}

// Trouble.

/** Says what went wrong; `again` does it once more. */
function showTrouble(error, again) {
  const isOurs = !(error instanceof Trouble);
  if (isOurs) console.error(error);
  if (!answer) best.show({ items: [] }, titles.of, false);
  const trouble = byID("trouble");
  trouble.replaceChildren(element("p", {}, isOurs ? "Something is wrong in this page itself." : error.message));
  trouble.hidden = false;
  retry = again;
  const needsKey = error.status === 401 || (error.status === 403 && client.key !== "");
  byID("key-form").hidden = !needsKey;
  if (needsKey) byID("key").focus();
  else if (again) trouble.append(button({}, again, "Try again"));
}

let retry;

function hideTrouble() {
  const trouble = byID("trouble");
  if (trouble.contains(document.activeElement)) byID("best-heading").focus();
  trouble.hidden = true;
  trouble.replaceChildren();
  byID("key-form").hidden = true;
}

// Wiring.

new Search({
  input: byID("search"),
  listbox: byID("found"),
  note: byID("search-note"),
  find: async (text, signal) => (await client.ask("GET", `v1/items?limit=12&q=${encodeURIComponent(text)}`, undefined, signal)).items,
  choose: (found) => {
    titles.learn([found]);
    add(found.item);
  },
  fail: (error) => showTrouble(error, () => byID("search").focus()),
});

byID("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  client.key = byID("key").value.trim();
  byID("key").value = "";
  byID("key-form").hidden = true;
  retry?.();
});

byID("who").addEventListener("submit", (event) => event.preventDefault());
byID("who").addEventListener("change", choose);

/** Goes over to the user or session that the form names. */
function choose() {
  const isSession = byID("who").elements.kind.value === "session";
  byID("user-field").hidden = isSession;
  byID("session-note").hidden = !isSession;
  const name = byID("user").value;
  if (!isSession && (!name || name === "." || name === "..")) {
    return showTrouble(new Trouble("A browser cannot ask for a user of this name."));
  }
  history.replaceState(null, "", isSession ? "#" : `#${encodeURIComponent(name)}`);
  open(isSession ? new Session(client) : new User(client, name));
}

byID("earlier").addEventListener("click", () => {
  perform(async () => {
    await subject.loadEvents();
    return { ...answer };
  }, undefined, () => "More events.");
});

byID("forget-all").addEventListener("click", () => {
  const what = subject.name === undefined ? "this session" : `everything about “${subject.name}”, on the server’s disk too`;
  byID("forget-question").textContent = `Forget ${what}?`;
  byID("forget-dialog").showModal();
});
byID("forget-no").addEventListener("click", () => byID("forget-dialog").close());
byID("forget-yes").addEventListener("click", () => {
  byID("forget-dialog").close();
  byID("events-heading").focus();
  forgetAll();
});

/** Sixteen random hexadecimal digits; `crypto.randomUUID` exists over TLS and on loopback only. */
function newID() {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function nameFromAddress() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}

byID("user").value = nameFromAddress() || `guest-${newID()}`;
addEventListener("hashchange", () => {
  byID("user").value = nameFromAddress() || byID("user").value;
  byID("who").elements.kind.value = "user";
  choose();
});
choose();
