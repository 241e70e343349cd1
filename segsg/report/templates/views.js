// A switch above a wide table: which of its columns are shown. Without scripts all are.
"use strict";
{
  function makeSwitchable(table) {
    const views = JSON.parse(table.dataset.views);
    const own = table.parentElement.previousElementSibling;
    const heads = table.tHead.rows;
    const rows = [heads[heads.length - 1], ...table.tBodies[0].rows];
    const groups = heads.length > 1 ? [...heads[0].cells].slice(1) : [];
    const widths = groups.map((group) => group.colSpan);

    function show() {
      const places = new Set(views[new FormData(own).get("view")]);
      for (const row of rows) [...row.cells].slice(1).forEach((cell, i) => (cell.hidden = !places.has(i)));
      let start = 0;
      groups.forEach((group, i) => {
        const seen = [...Array(widths[i]).keys()].filter((j) => places.has(start + j)).length;
        start += widths[i];
        group.hidden = seen === 0;
        if (seen) group.colSpan = seen;
      });
    }

    own.hidden = false;
    own.reset();
    own.addEventListener("change", show);
    show();
  }

  document.querySelectorAll("table[data-views]").forEach(makeSwitchable);
}
