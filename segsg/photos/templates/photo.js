"use strict";
(() => {
  const graph = document.querySelector(".graph");
  const said = document.querySelector("[data-said]");
  const rows = [...document.querySelectorAll("tr[data-relation]")];
  const parts = [...graph.querySelectorAll("[data-region], [data-relation]")];
  const rest = said.textContent + " Point at one, or tab to it; a click or a tap keeps it lit.";
  let kept = null;

  const same = (a, b) => a && b && a.kind === b.kind && a.place === b.place;
  const relations = rows.map((row) => ({
    place: row.dataset.relation, subject: row.dataset.subject, object: row.dataset.object,
    text: row.querySelector("button").getAttribute("aria-label").replace(/: [^:]*$/, "") + ", " + row.querySelector(".score").textContent,
  }));

  function of(target) {
    const part = target instanceof Element && target.closest("[data-relation], [data-region]");
    if (!part || !graph.contains(part)) return null;
    return part.dataset.relation === undefined
      ? { kind: "region", place: part.dataset.region }
      : { kind: "relation", place: part.dataset.relation };
  }

  function show(chosen) {
    const lit = chosen === null ? [] : relations.filter((relation) => chosen.kind === "relation"
      ? relation.place === chosen.place
      : relation.subject === chosen.place || relation.object === chosen.place);
    const regions = new Set(lit.flatMap((relation) => [relation.subject, relation.object]));
    if (chosen !== null && chosen.kind === "region") regions.add(chosen.place);
    const places = new Set(lit.map((relation) => relation.place));
    for (const part of parts) {
      const on = part.dataset.relation === undefined ? regions.has(part.dataset.region) : places.has(part.dataset.relation);
      const glow = part.classList.contains("heat");
      part.classList.toggle("on", on && !(glow && chosen.kind === "region"));
    }
    graph.classList.toggle("lit", chosen !== null);
    said.textContent = chosen === null ? rest : lit.map((relation) => relation.text).join("; ") || "No relation.";
  }

  function keep(chosen) {
    kept = same(chosen, kept) ? null : chosen;
    for (const button of graph.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(Boolean(same(of(button), kept))));
    }
    show(kept);
  }

  function fromAddress() {
    const found = /^#relation-(\d+)$/.exec(location.hash);
    if (found) { kept = null; keep({ kind: "relation", place: found[1] }); }
  }

  for (const begin of ["pointerover", "focusin"]) {
    graph.addEventListener(begin, (event) => { const chosen = of(event.target); if (chosen) show(chosen); });
  }
  for (const end of ["pointerout", "focusout"]) {
    graph.addEventListener(end, () => show(kept));
  }
  graph.addEventListener("click", (event) => { const chosen = of(event.target); if (chosen) keep(chosen); });
  addEventListener("keydown", (event) => { if (event.key === "Escape") { kept = null; keep(null); } });
  addEventListener("hashchange", fromAddress);
  show(null);
  fromAddress();
})();
