// What every script of clicks shares: the page in the frame, and a note of what happened.
"use strict";
const frame = document.querySelector("iframe");
const outcome = { noted: [] };
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

// `main` clicks; whatever comes of it is written where the test reads it.
function write(main) {
  main()
    .catch((error) => outcome.noted.push(`clicks: ${error}`))
    .finally(() => (document.querySelector("pre").textContent = JSON.stringify(outcome)));
}
