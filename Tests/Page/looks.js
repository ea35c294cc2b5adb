// What check.py asks a page about its looks; the value is a list of sentences, empty where all is well.
(() => {
  const found = [];
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });

  /** Red, green, blue and opacity of a CSS colour, from 0 to 255. */
  const channels = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (colour) => {
    const [red, green, blue] = channels(colour).slice(0, 3).map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (a, b) => {
    const [less, more] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (more + 0.05) / (less + 0.05);
  };
  const ground = (node) => {
    for (let each = node; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if (channels(colour)[3] === 255) return colour;
    }
    return "white";
  };
  const isSeen = (node) => node.checkVisibility({ visibilityProperty: true }) && !node.closest(".hidden");

  for (const node of document.querySelectorAll("body *")) {
    if (!isSeen(node)) continue;
    const ownText = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    if (ownText && contrast(getComputedStyle(node).color, ground(node)) < 4.5) found.push(`too pale: ${node.textContent}`);
    if (node.matches(".bar, .sparkline span") && contrast(getComputedStyle(node).backgroundColor, ground(node.parentElement)) < 3) found.push("a bar is too pale");
    if (node.matches("button, summary, input:not([type=radio]), label:has(input), [role=option]")) {
      const { width, height } = node.getBoundingClientRect();
      if (Math.min(width, height) < 24) found.push(`too small to hit: ${node.textContent || node.id} ${width} × ${height}`);
    }
    if (node.matches("input, button, table, ol, ul[role], section, dialog") && !node.labels?.length && !node.textContent.trim()
      && !node.getAttribute("aria-label") && !node.getAttribute("aria-labelledby") && !node.matches("ol")) found.push(`no name: ${node.tagName} ${node.id}`);
  }
  const page = document.documentElement;
  if (page.scrollWidth > innerWidth) found.push(`${page.scrollWidth} pixels wide where there are ${innerWidth}`);
  return [...new Set(found)];
})()
