// Points at, clicks and leaves the parts of a photo's page, and writes down what is lit.
"use strict";
Object.assign(outcome, { turns: {} });

const KINDS = { masks: ".region", glows: ".heat", edges: ".edge", nodes: ".node", rows: "tr", objects: "li" };
const place = (part) => part.dataset.relation ?? part.dataset.region;
const lit = (selector) => [...page().querySelectorAll(`.graph ${selector}.on`)].map(place);

async function turn(name, act) {
  act();
  await pause();
  const pressed = [...page().querySelectorAll("button[aria-pressed=true]")].map((button) => button.closest("[data-relation], [data-region]"));
  outcome.turns[name] = {
    ...Object.fromEntries(Object.entries(KINDS).map(([kind, selector]) => [kind, lit(selector)])),
    veiled: page().querySelector(".graph").classList.contains("lit"),
    pressed: pressed.map(place),
    said: page().querySelector("[data-said]").textContent,
  };
}

const send = (part, type) => part.dispatchEvent(new PointerEvent(type, { bubbles: true }));
const click = (part) => part.dispatchEvent(new MouseEvent("click", { bubbles: true }));

async function main() {
  await follow(() => (frame.src = "index.html"));
  await follow(() => page().querySelector(".photos a").click());
  await turn("at first", () => {});
  const [first, second] = page().querySelectorAll(".edge");
  await turn("pointed at an edge", () => send(first, "pointerover"));
  await turn("left it", () => send(first, "pointerout"));
  await turn("clicked a relation", () => page().querySelectorAll("tr button")[1].click());
  await turn("pointed elsewhere", () => send(first, "pointerover"));
  await turn("came back", () => send(first, "pointerout"));
  await turn("clicked it again", () => click(second));
  await turn("clicked a node", () => click(page().querySelector(".node")));
  await turn("pressed Escape", () => page().dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true })));
  await turn("tabbed to an object", () => page().querySelector(".objects button").dispatchEvent(new FocusEvent("focusin", { bubbles: true })));
  await turn("followed a link", () => (frame.contentWindow.location.hash = "#relation-1"));
  outcome.wide = page().documentElement.scrollWidth > frame.clientWidth;
  collect();
}

write(main);
