// Clicks through the report in a frame, and writes down what happened.
"use strict";
const frame = document.querySelector("iframe");
const outcome = { opened: {}, noted: [], wide: [] };
const page = () => frame.contentDocument;
const pause = () => new Promise((done) => setTimeout(done, 20));

// A page counts as loaded; what its scripts did wrong until then and since is in `noted`.
async function follow(act) {
  const loaded = new Promise((done) => frame.addEventListener("load", done, { once: true }));
  act();
  await loaded;
}

function collect() {
  outcome.noted.push(...frame.contentWindow.noted.map((what) => `${page().title}: ${what}`));
  frame.contentWindow.noted.length = 0;
}

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

main()
  .catch((error) => outcome.noted.push(`clicks: ${error}`))
  .finally(() => (document.querySelector("pre").textContent = JSON.stringify(outcome)));
