// Elements, and how numbers and times are written.

export const byID = (id) => document.getElementById(id);

/** An element. Children that are strings become text: nothing that comes from the server is ever read as HTML. */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** A title: what direction it is written in does not change the order of what stands around it. */
export const named = (title) => element("bdi", {}, title);

/** A button that sends no form. */
export function button(attributes, onClick, ...children) {
  const node = element("button", { type: "button", ...attributes }, ...children);
  node.addEventListener("click", (event) => {
    if (event.detail < 2) onClick(event); // The second click of a double one is meant for what was there before.
  });
  return node;
}

/** Text for those who listen and not for those who look. */
export const spoken = (text) => element("span", { class: "hidden" }, text);

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const score = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const signed = new Intl.NumberFormat("en", { ...score.resolvedOptions(), signDisplay: "exceptZero" });

export const count = (value) => whole.format(value);
export const countOf = (value, noun) => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
export const scoreText = (value) => score.format(value).replace("-", "−");
export const signedText = (value) => signed.format(value).replace("-", "−");

/** A duration in the unit that suits it, in short or as it is said. */
export function duration(microseconds, said = false) {
  const [value, unit, name] =
    microseconds < 1e3 ? [microseconds, "µs", "microseconds"]
    : microseconds < 1e6 ? [microseconds / 1e3, "ms", "milliseconds"]
    : [microseconds / 1e6, "s", "seconds"];
  return `${short.format(value)} ${said ? name : unit}`;
}

/** How long ago it was; its day where that is long ago. */
export function timeAgo(time) {
  const seconds = Math.max(0, (Date.now() - time) / 1000);
  const ago = new Intl.RelativeTimeFormat("en", { style: "short" });
  if (seconds < 45) return "just now";
  if (seconds < 45 * 60) return ago.format(-Math.round(seconds / 60), "minute");
  if (seconds < 22 * 3600) return ago.format(-Math.round(seconds / 3600), "hour");
  return time.toLocaleDateString("en", { dateStyle: "medium" });
}

/** Titles in a sentence: A; A and B; A, B and C. */
export const list = (titles) =>
  new Intl.ListFormat("en-GB", { type: "conjunction" }).formatToParts(titles).map(({ type, value }) => (type === "element" ? named(value) : value));

/** Words for a shell, quoted. */
export const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
