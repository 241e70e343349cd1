// Column heads of tables become buttons that sort. Without script a table stays as it was written.
"use strict";
{
  const NEXT = { none: "first", first: "second", second: "none" };

  function makeSortable(table) {
    const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    const written = [...table.tBodies[0].rows];
    const chosen = { column: 0, turn: "none" };

    function order(row) {
      const cell = row.cells[chosen.column];
      if (cell.tagName === "TH") return cell.textContent.trim();
      return "order" in cell.dataset ? cell.dataset.order : (cell.firstChild?.textContent.trim() ?? "");
    }

    function isNumeric() {
      return written.every((row) => !Number.isNaN(Number(order(row))));
    }

    // Numbers from the largest, names from A; what has no number comes last either way.
    function sort() {
      const numeric = isNumeric();
      const down = numeric === (chosen.turn === "first");
      const sign = down ? -1 : 1;
      const compare = (a, b) => {
        const [x, y] = [order(a), order(b)];
        if (x === "" || y === "") return (x === "") - (y === "");
        return sign * (numeric ? x - y : x.localeCompare(y, "en"));
      };
      const rows = chosen.turn === "none" ? written : [...written].sort(compare);
      table.tBodies[0].append(...rows);
      heads.forEach((head) => head.removeAttribute("aria-sort"));
      if (chosen.turn !== "none") heads[chosen.column].setAttribute("aria-sort", down ? "descending" : "ascending");
    }

    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.title = "Sort by this column; a third time: as written";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        chosen.turn = NEXT[chosen.column === column ? chosen.turn : "none"];
        chosen.column = column;
        sort();
      });
    });
    table.addEventListener("swapped", sort);
  }

  document.querySelectorAll("table.sortable").forEach(makeSortable);
}
