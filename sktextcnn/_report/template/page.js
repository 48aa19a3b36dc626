"use strict";
// Sorts the tables of class "sortable" by the column whose heading is pressed.
for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const before = heading.getAttribute("aria-sort");
      const body = table.tBodies[0];
      const isNumber = heading.classList.contains("number");
      const up = before ? before !== "ascending" : !isNumber;
      const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
      // Labels may be numbers, too.
      const numbers = isNumber || [...body.rows].every((row) => value(row).trim() && !isNaN(value(row)));
      const compare = (a, b) => {
        if (!numbers) return value(a).localeCompare(value(b), undefined, { numeric: true });
        // What has no value is last, whatever the order.
        const [x, y] = [value(a), value(b)];
        if (x === "" || y === "") return ((x === "") - (y === "")) * (up ? 1 : -1);
        return x - y;
      };
      body.append(...[...body.rows].sort((a, b) => (up ? compare(a, b) : compare(b, a))));
      for (const other of headings) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    });
  });
}
