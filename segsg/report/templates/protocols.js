// The switch above a table: the same rows by another measure, from the JSON that the page carries.
"use strict";
{
  const form = document.getElementById("switch");
  const table = form.parentElement.querySelector("table");
  const caption = form.parentElement.querySelector(".caption");
  const protocols = JSON.parse(document.getElementById("protocols").textContent);
  const rows = [...table.tBodies[0].rows].map((row) => [...row.cells].filter((cell) => "order" in cell.dataset));
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells].slice(-rows[0].length);

  function element(name, text, kind) {
    const made = document.createElement(name);
    made.textContent = text;
    if (kind) made.className = kind;
    return made;
  }

  // As tables.html writes a cell.
  function fill(cell, parts) {
    cell.dataset.order = parts.order ?? "";
    cell.replaceChildren(element("b", parts.number));
    if (parts.rest) cell.append(" ", element("span", parts.rest));
    if (parts.difference) cell.append(element("small", parts.difference, parts.noise ? "noise" : ""));
    if (parts.paper) cell.append(element("small", `paper ${parts.paper}`, "paper"));
    if (parts.seeds) cell.append(element("small", parts.seeds));
  }

  function chosen() {
    const data = new FormData(form);
    const free = data.get("free") === "true";
    return protocols.find((one) => one.measure === data.get("measure") && one.free === free);
  }

  function show() {
    const found = chosen();
    document.getElementById("missing").hidden = Boolean(found);
    if (!found) return;
    caption.textContent = found.caption;
    heads.forEach((head, i) => ((head.querySelector("button") ?? head).textContent = found.heads[i]));
    rows.forEach((cells, i) => cells.forEach((cell, j) => fill(cell, found.cells[i][j])));
    table.dispatchEvent(new Event("swapped"));
  }

  form.hidden = false;
  form.reset();
  form.addEventListener("change", show);
}
