// Every page on a wide screen and on a phone, looked at by axe-core: what a reader who can't see it well would miss.
"use strict";
Object.assign(outcome, { violations: [], looked: 0 });

// axe-core waits for frames and animations that a page of a report has none of.
const RULES = { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"], iframes: false };

async function look(href, width) {
  frame.width = width;
  await follow(() => (frame.src = href));
  const script = page().createElement("script");
  script.textContent = AXE;
  page().head.append(script);
  const found = await frame.contentWindow.axe.run(page(), RULES);
  outcome.looked += 1;
  for (const { id, nodes } of found.violations) {
    outcome.violations.push(`${href} at ${width}: ${id}: ${nodes.length} times, first ${nodes[0].html.slice(0, 120)}`);
  }
}

async function main() {
  await follow(() => (frame.src = "index.html"));
  const nav = [...page().querySelectorAll("header nav a")].map((link) => link.getAttribute("href"));
  const photos = [...page().querySelectorAll(".photos a")].map((link) => link.getAttribute("href"));
  const hrefs = nav.length ? nav : ["index.html", ...photos];
  for (const href of hrefs) for (const width of [1400, 390]) await look(href, width);
}

write(main);
