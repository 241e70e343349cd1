// Clicks through the report in a frame, and writes down what happened.
"use strict";
Object.assign(outcome, { opened: {}, wide: [] });

async function openEveryPage() {
  const hrefs = [...page().querySelectorAll("header nav a")].map((link) => link.getAttribute("href"));
  for (const href of hrefs) {
    await follow(() => page().querySelector(`header nav a[href="${href}"]`).click());
    outcome.opened[href] = page().querySelector("h1").textContent;
    if (page().documentElement.scrollWidth > frame.clientWidth) outcome.wide.push(href);
    page().querySelectorAll("table.sortable thead button").forEach((button) => button.click());
    collect();
  }
}

const column = (i) => [...page().querySelector("table.sortable").tBodies[0].rows].map((row) => row.cells[i].firstChild.textContent);
const head = (i) => page().querySelectorAll("table.sortable thead tr:last-child th")[i];

async function sortBy(i) {
  const turns = [{ sort: head(i).getAttribute("aria-sort"), column: column(i) }];
  for (let turn = 0; turn < 3; turn++) {
    head(i).querySelector("button").click();
    await pause();
    turns.push({ sort: head(i).getAttribute("aria-sort"), column: column(i) });
  }
  return turns;
}

async function choose(name, value) {
  const field = page().querySelector(`#switch [name=${name}]` + (name === "free" ? `[value=${value}]` : ""));
  if (name === "free") field.click();
  else {
    field.value = value;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
  await pause();
  return {
    heads: [3, 4, 5].map((i) => head(i).textContent),
    caption: page().querySelector(".caption").textContent,
    numbers: column(3),
    missing: !page().getElementById("missing").hidden,
  };
}

async function main() {
  await follow(() => (frame.src = "index.html"));
  await openEveryPage();
  await follow(() => (frame.src = "table1.html"));
  outcome.names = await sortBy(2);
  outcome.numbers = await sortBy(3);
  outcome.written = await choose("measure", "mR");
  head(3).querySelector("button").click();
  outcome.free = await choose("free", "true");
  outcome.lacking = await choose("measure", "R");
  outcome.constrained = await choose("free", "false");
  collect();
}

write(main);
