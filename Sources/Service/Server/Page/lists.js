// Two lists that keep their rows, and with them focus and open parts, while their contents change.

import { button, count, element, named, scoreText, spoken, timeAgo } from "./dom.js";
import { explanationLine, explanationTable, largestContribution } from "./explanation.js";

/** The ten best items. */
export class BestList {
  #rows = new Map();
  #ranks = new Map();

  /** `add(item)` is called with an item that was clicked. */
  constructor(list, add) {
    Object.assign(this, { list, add });
  }

  /** Shows an answer. `compares`: rows say how they have moved since the answer before. Returns the number of new ones. */
  show({ items, basis }, titleOf, compares) {
    const [before, ranks] = [this.#ranks, new Map(items.map(({ item }, rank) => [item, rank]))];
    const scale = largestContribution(items);
    const rows = new Map(items.map((each) => [each.item, this.#rows.get(each.item) ?? this.#row(each.item)]));
    for (const [rank, each] of items.entries()) fill(rows.get(each.item), each, rank, titleOf, scale, basis);
    for (const [item, row] of rows) mark(row, compares ? movement(before.get(item), ranks.get(item)) : {});
    arrange(this.list, [...rows.values()]);
    [this.#rows, this.#ranks] = [rows, ranks];
    return items.filter(({ item }) => !before.has(item)).length;
  }

  #row(item) {
    return element(
      "li", {},
      element("span", { class: "rank", "aria-hidden": "true" }),
      button({ class: "title" }, () => this.add(item)),
      element("span", { class: "movement" }),
      element("span", { class: "score" }),
      element("details", {}, element("summary"), element("div")));
  }
}

function fill(row, { item, score, explanation }, rank, titleOf, scale, basis) {
  const [number, title, , scored, details] = row.children;
  number.textContent = rank + 1;
  title.replaceChildren(named(titleOf(item)));
  scored.replaceChildren(...(basis === "popularity" ? [count(score), spoken(" events")] : [spoken("score "), scoreText(score)]));
  details.hidden = !explanation?.terms.length;
  if (details.hidden) return;
  details.firstChild.replaceChildren(...explanationLine(explanation, scale, titleOf));
  details.lastChild.replaceChildren(explanationTable(explanation, score, titleOf));
}

function movement(before, now) {
  if (before === undefined) return { kind: "new", text: "new" };
  if (before === now) return {};
  const places = Math.abs(before - now);
  return now < before ? { kind: "up", text: `↑ ${places}`, said: `up ${places}` } : { kind: "down", text: `↓ ${places}`, said: `down ${places}` };
}

function mark(row, { kind = "", text = "", said }) {
  row.className = kind;
  row.querySelector(".movement").replaceChildren(
    ...(said ? [element("span", { "aria-hidden": "true" }, text), spoken(said)] : [text]));
}

/** A user's events, the latest first. */
export class EventList {
  #rows = new Map();

  /** `forget(event)` is called with an event that is to be forgotten. */
  constructor(list, forget) {
    Object.assign(this, { list, forget });
  }

  show(events, titles) {
    const rows = new Map(events.map((event) => [event, this.#rows.get(event) ?? this.#row(event)]));
    for (const [event, row] of rows) {
      const [title, when] = row.children;
      title.replaceChildren(named(titles.of(event.item)));
      const isStranger = event.known === false || titles.isStranger(event.item);
      const time = event.timestamp ? timeAgo(new Date(event.timestamp)) : "";
      when.textContent = isStranger ? "not in this model" : time;
      row.lastChild.setAttribute("aria-label", `Forget ${titles.of(event.item)}`);
    }
    arrange(this.list, [...rows.values()]);
    this.#rows = rows;
  }

  #row(event) {
    return element(
      "li", {},
      element("span", { class: "title" }), element("span", { class: "quiet" }),
      button({ class: "plain" }, () => this.forget(event), "forget"));
  }
}

/** Puts rows in their places and lets them be seen moving there. Focus stays on its row, or on what takes its place. */
function arrange(list, rows) {
  if (rows.length === list.children.length && rows.every((row, rank) => row === list.children[rank])) return;
  const places = new Map([...list.children].map((row) => [row, row.getBoundingClientRect().top]));
  const focus = list.contains(document.activeElement) ? document.activeElement : null;
  const focused = focus?.closest("li");
  const rank = [...list.children].indexOf(focused);
  list.replaceChildren(...rows);
  if (focus && rows.includes(focused)) focus.focus({ preventScroll: true });
  else if (focus) (rows[Math.min(rank, rows.length - 1)]?.querySelector("button") ?? headingOf(list)).focus();
  for (const row of rows) move(row, places.get(row));
}

const headingOf = (list) => list.closest("section").querySelector("h2");

function move(row, from) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const timing = { duration: 420, easing: "cubic-bezier(0.2, 0, 0, 1)" };
  const distance = from - row.getBoundingClientRect().top;
  if (distance) row.animate([{ transform: `translateY(${distance}px)` }, { transform: "none" }], timing);
  if (from === undefined) row.animate([{ opacity: 0 }, { opacity: 1 }], timing);
}
