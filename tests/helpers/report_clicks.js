// Clicks through the report in a frame, and writes down what happened.
"use strict";
Object.assign(outcome, { opened: {}, wide: [], views: {} });

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

const rows = () => [...page().querySelector("table.sortable").tBodies[0].rows];
const text = (cell) => (cell.tagName === "TH" ? cell.textContent : cell.firstChild.textContent);
const column = (i) => rows().map((row) => text(row.cells[i]));
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
    heads: [1, 2, 3].map((i) => head(i).textContent),
    caption: page().querySelector(".caption").textContent,
    numbers: column(1),
    missing: !page().getElementById("missing").hidden,
  };
}

// What a reader sees of the first row, and how wide the group above it is.
async function view(name) {
  page().querySelector(`form.view input[value="${name}"]`).click();
  await pause();
  const shown = [...rows()[0].cells].slice(1).filter((cell) => cell.offsetWidth > 0);
  return { cells: shown.map(text), group: page().querySelector("thead [scope=colgroup]").colSpan };
}

// Where the head and the names stand once the table is scrolled as far as it goes, from its own corner.
async function scrolled() {
  const box = page().querySelector("table.sortable").parentElement;
  box.style.maxHeight = "120px";
  box.style.width = "200px";
  box.scrollTo(1000, 1000);
  await pause();
  const corner = box.getBoundingClientRect();
  const place = (cell) => [cell.getBoundingClientRect().left - corner.left, cell.getBoundingClientRect().top - corner.top];
  return { by: [box.scrollLeft > 0, box.scrollTop > 0], head: place(head(0)), name: place(rows()[1].cells[0]) };
}

async function main() {
  await follow(() => (frame.src = "index.html"));
  await openEveryPage();
  await follow(() => (frame.src = "table1.html"));
  outcome.names = await sortBy(0);
  outcome.numbers = await sortBy(1);
  outcome.written = await choose("measure", "mR");
  head(1).querySelector("button").click();
  outcome.free = await choose("free", "true");
  outcome.lacking = await choose("measure", "R");
  outcome.constrained = await choose("free", "false");
  await choose("measure", "mR");
  for (const name of ["@50", "@20", "all"]) outcome.views[name] = await view(name);
  outcome.scrolled = await scrolled();
  collect();
}

write(main);
