// What is wrong with a page for people who cannot see, see badly, or hold a telephone. Returns sentences.
() => {
  const found = [];
  const say = (text, node) => found.push(node ? `${text}: ${node.outerHTML.slice(0, 120)}` : text);
  const shown = (node) => node.checkVisibility({ visibilityProperty: true }) && !node.closest("[aria-hidden=true]");
  const all = (selector) => [...document.querySelectorAll(selector)].filter(shown);

  if (!/^(nb|sv|da|fi|en)$/.test(document.documentElement.lang)) say(`lang is '${document.documentElement.lang}'`);
  if (!document.title.trim()) say("no title");
  if (!document.querySelector("meta[name=viewport]")) say("no viewport for telephones");
  if (all("h1").length !== 1) say(`${all("h1").length} first headings`);
  if (!document.querySelector("main")) say("no main part");
  for (const node of all("input:not([type=hidden]), select, textarea"))
    if (!node.labels?.length && !node.getAttribute("aria-label")) say("no label", node);
  for (const node of all("button, a[href]"))
    if (!node.textContent.trim() && !node.getAttribute("aria-label")) say("no name", node);
  for (const node of all("img")) if (!node.hasAttribute("alt")) say("no alt", node);
  for (const node of all("svg:not([role])")) if (!node.closest("button, a")) say("a picture without a role", node);
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index))) say(`the id ${id} twice`);
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth)
    say(`wider than the window: ${document.documentElement.scrollWidth} of ${document.documentElement.clientWidth}`);

  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || seen.has(node) || !shown(node) || node.closest("style, script")) continue;
    seen.add(node);
    const style = getComputedStyle(node);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
    const [ink, paper] = [light(rgba(node.closest("svg") ? style.fill : style.color)), light(behind(node))];
    const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (ratio < needed) say(`contrast ${ratio.toFixed(2)} of ${needed}`, node);
  }
  return found;
}
