// Which past events speak for a recommendation: a line of small bars, one an event, and the largest of them by name.

import { element, list, named, scoreText, signedText, timeAgo } from "./dom.js";

/** Events of the small bars, and those that are named. */
const recent = 24;
const namedCount = 6;

/** The largest contribution of the recent events of all answers, so that bars of different rows can be compared. */
export function largestContribution(items) {
  const shown = items.flatMap(({ explanation }) => explanation?.terms.slice(0, recent) ?? []);
  return Math.max(1e-9, ...shown.map(({ contribution }) => Math.abs(contribution)));
}

/** Items that an explanation calls by name. */
export const itemsNamed = (explanation) => largest(explanation.terms).map(({ item }) => item);

/** What stands under a recommendation: a line that opens. `titleOf` names items, `scale` is the largest contribution of all rows. */
export function explanationLine(explanation, scale, titleOf) {
  const terms = largest(explanation.terms).filter(({ contribution }) => contribution > 0);
  const speakers = terms.filter(({ contribution }) => contribution > terms[0].contribution / 4);
  const names = [...new Set(speakers.map(({ item }) => titleOf(item)))].slice(0, 2);
  return [
    sparkline(explanation.terms.slice(0, recent).reverse(), scale),
    element("span", { class: "because" }, ...(names.length ? ["because of ", ...list(names)] : ["no event speaks for it"])),
  ];
}

/** All terms as a table with bars; they add up to the score. */
export function explanationTable(explanation, score, titleOf) {
  const terms = largest(explanation.terms);
  const others = explanation.terms.length - terms.length;
  const rest = sum(explanation.terms) - sum(terms);
  const rows = terms.map((term) => ({ name: titleOf(term.item), value: term.contribution, note: note(term) }));
  if (others) rows.push({ name: others === 1 ? "one other event" : `${others} other events`, value: rest });
  if (explanation.earlier) rows.push({ name: "all earlier events", value: explanation.earlier });
  if (explanation.repeats) rows.push({ name: "having met it before", value: explanation.repeats });
  rows.push({ name: "whatever the events", value: explanation.constant });
  const values = rows.map(({ value }) => value);
  const range = { least: Math.min(0, ...values), greatest: Math.max(1e-9, ...values) };
  return element(
    "table", { class: "terms", "aria-label": "What adds up to the score" },
    element("tbody", {}, ...rows.map((row) => tableRow(row, range))),
    element("tfoot", {}, element("tr", {}, heading("score"), element("td"), element("td", {}, scoreText(score)))));
}

function tableRow({ name, value, note }, { least, greatest }) {
  const name_ = heading(name);
  if (note) name_.append(element("span", { class: "quiet" }, note));
  const bar = element("span", { class: value < 0 ? "bar against" : "bar", "aria-hidden": "true" });
  const part = (length) => (Math.abs(length) / (greatest - least)).toFixed(4);
  bar.style.setProperty("--begin", part(least - Math.min(0, value)));
  bar.style.setProperty("--part", part(value));
  return element("tr", {}, name_, element("td", { class: "track" }, bar), element("td", {}, signedText(value)));
}

const heading = (text) => element("th", { scope: "row" }, element("span", {}, named(text)));

function note({ timestamp, scoreWithout }) {
  return scoreWithout === undefined ? timeAgo(new Date(timestamp)) : `score without it ${scoreText(scoreWithout)}`;
}

function sparkline(terms, scale) {
  const line = element("span", { class: "sparkline", "aria-hidden": "true" });
  for (const { contribution } of terms) {
    const bar = element("span", { class: contribution < 0 ? "against" : "" });
    bar.style.setProperty("--part", (Math.abs(contribution) / scale).toFixed(4));
    line.append(bar);
  }
  return line;
}

const sum = (terms) => terms.reduce((total, { contribution }) => total + contribution, 0);

function largest(terms) {
  return terms.toSorted((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution)).slice(0, namedCount);
}
