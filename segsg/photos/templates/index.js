"use strict";
(() => {
  const form = document.querySelector("form.search");
  const list = document.querySelector(".photos");
  const said = document.querySelector("[data-said]");
  const photos = [...list.children].map((item, place) => ({
    item, place, name: item.dataset.photo, classes: JSON.parse(item.dataset.classes),
    relations: [...item.querySelectorAll("li")].map((line) => ({ line, ...line.dataset, score: Number(line.dataset.score) })),
  }));
  const SHOWN = 3;
  const orders = {
    given: (a, b) => a.place - b.place,
    name: (a, b) => a.name.localeCompare(b.name),
    surest: (a, b) => b.best - a.best || a.place - b.place,
    most: (a, b) => b.matching - a.matching || a.place - b.place,
  };

  function apply() {
    const wanted = Object.fromEntries(new FormData(form));
    const words = wanted.text.trim().toLowerCase().replace(/\s+/g, " "), least = Number(wanted.score) / 100;
    let shown = 0, relations = 0;
    for (const photo of photos) {
      const named = words !== "" && photo.name.toLowerCase().includes(words);
      const found = photo.relations.filter((each) => each.score >= least
        && (!wanted.class || each.subject === wanted.class || each.object === wanted.class)
        && (!wanted.predicate || each.predicate === wanted.predicate)
        && (named || `${each.subject} ${each.predicate} ${each.object}`.toLowerCase().includes(words)));
      const about = words || wanted.predicate || least > 0;
      const fits = found.length > 0 || (!about && (!wanted.class || photo.classes.includes(wanted.class)))
        || (named && !wanted.predicate && !least && (!wanted.class || photo.classes.includes(wanted.class)));
      photo.item.hidden = !fits;
      photo.matching = found.length;
      photo.best = Math.max(0, ...found.map((each) => each.score));
      for (const each of photo.relations) each.line.hidden = !found.slice(0, SHOWN).includes(each);
      shown += fits;
      relations += fits ? found.length : 0;
    }
    for (const photo of [...photos].sort(orders[wanted.sort])) list.append(photo.item);
    said.textContent = `${shown} of ${photos.length} photos, ${relations} relation${relations === 1 ? "" : "s"}.`;
  }

  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  form.hidden = false;
  apply();
})();
