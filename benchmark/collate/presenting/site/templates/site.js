"use strict";
// Sorting, filtering and clicking; without it the pages are complete, only still.
{
  const number = (cell) => (cell.dataset.v === undefined ? NaN : Number(cell.dataset.v));
  const order = new Intl.Collator("en", { numeric: true });

  const compare = (a, b, sign) => {
    const [x, y] = [number(a), number(b)];
    if (!Number.isNaN(x) && !Number.isNaN(y)) return sign * (x - y);
    if (!Number.isNaN(x) || !Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1; // no number: last, whichever way
    return sign * order.compare(a.textContent.trim(), b.textContent.trim());
  };

  const sortable = (table) => {
    const [top, second] = table.tHead.rows;
    const body = table.tBodies[0];
    const first = [...body.rows];
    // Which column a head stands over: the first row's by its spans, the second row's below those that span one row.
    const heads = [];
    let column = 0;
    const below = [];
    for (const th of top.cells) {
      if (th.scope === "col") heads.push([th, column]);
      else for (let i = 0; i < th.colSpan; i++) below.push(column + i);
      column += th.colSpan;
    }
    if (second) [...second.cells].forEach((th, i) => heads.push([th, below[i]]));
    for (const [th, at] of heads) {
      if (!("sort" in th.dataset)) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...th.childNodes);
      if (th.dataset.about) {
        const about = document.createElement("span");
        about.className = "hidden";
        about.textContent = ` ${th.dataset.about}`;
        button.append(about);
      }
      th.append(button);
      th.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const next = { none: "ascending", ascending: "descending", descending: "none" }[th.getAttribute("aria-sort")];
        for (const [other] of heads) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
        th.setAttribute("aria-sort", next);
        const rows = next === "none" ? first : [...first].sort((a, b) => compare(a.cells[at], b.cells[at], next === "ascending" ? 1 : -1));
        body.append(...rows);
      });
    }
  };

  const filterable = (tools) => {
    const target = document.getElementById(tools.dataset.for);
    const rows = [...target.querySelectorAll("tbody tr, [data-row]")];
    // What is typeset is found as it is written in a suite, too.
    const written = (row) => [...row.querySelectorAll("[title], [aria-label]")].flatMap((e) => [e.title, e.ariaLabel ?? ""]);
    const texts = rows.map((row) => `${row.textContent} ${row.dataset.raw ?? written(row).join(" ")}`.toLowerCase());
    const search = tools.querySelector("[data-filter]");
    const facets = [...tools.querySelectorAll("[data-facet]")];
    const has = (row, name, value) => row.dataset[name] === value || row.querySelector(`[data-${name}="${value}"]`) !== null;
    const apply = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach((row, i) => {
        const fits = words.every((word) => texts[i].includes(word)) && facets.every((facet) => !facet.value || has(row, facet.dataset.facet, facet.value));
        row.hidden = !fits;
        shown += fits;
      });
      const chosen = shown < rows.length;
      for (const group of target.querySelectorAll("[data-group]")) {
        group.hidden = !group.querySelector("[data-row]:not([hidden])");
        if (chosen) group.open = true;
      }
      tools.querySelector("output").textContent = shown === rows.length ? `${rows.length} shown` : `${shown} of ${rows.length} shown`;
    };
    const fromAddress = () => {
      const wanted = new URLSearchParams(location.hash.slice(1));
      for (const facet of facets) {
        const value = wanted.get(facet.dataset.facet);
        if (value !== null && [...facet.options].some((option) => option.value === value)) facet.value = value;
      }
      apply();
    };
    search.addEventListener("input", apply);
    for (const facet of facets) facet.addEventListener("change", apply);
    addEventListener("hashchange", fromAddress);
    tools.hidden = false;
    fromAddress();
  };

  const clickable = (table) =>
    table.addEventListener("click", (event) => {
      if (event.target.closest("a, button") || String(getSelection())) return;
      const cell = event.target.closest("td");
      const row = table.classList.contains("list") ? event.target.closest("tbody tr") : cell;
      const link = row?.querySelector("a") ?? cell?.nextElementSibling?.querySelector("a");
      if (link) link.click();
    });

  // A map of cells is one stop of the Tab key; arrows, Home and End go from mark to mark.
  const walkable = (map) => {
    const rows = [...map.tBodies[0].rows].map((row) => [...row.querySelectorAll("a")]);
    const all = rows.flat();
    const go = (to) => {
      if (!to) return;
      for (const mark of all) mark.tabIndex = mark === to ? 0 : -1;
    };
    const near = (row, from) => {
      const x = from.getBoundingClientRect().x;
      const off = (mark) => Math.abs(mark.getBoundingClientRect().x - x);
      return row?.reduce((best, mark) => (best === undefined || off(mark) < off(best) ? mark : best), undefined);
    };
    map.addEventListener("focusin", (event) => all.includes(event.target) && go(event.target));
    map.addEventListener("keydown", (event) => {
      const at = all.indexOf(event.target);
      if (at < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
      const line = rows.findIndex((row) => row.includes(event.target));
      const to = {
        ArrowRight: () => all[at + 1],
        ArrowLeft: () => all[at - 1],
        ArrowDown: () => near(rows.slice(line + 1).find((row) => row.length), event.target),
        ArrowUp: () => near(rows.slice(0, line).reverse().find((row) => row.length), event.target),
        Home: () => all[0],
        End: () => all.at(-1),
      }[event.key]?.();
      if (!to) return;
      event.preventDefault();
      to.focus();
    });
    go(all[0]);
  };

  // On a phone what is long is folded, but for what the address leads to.
  const reveal = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target) return;
    for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    target.scrollIntoView();
  };

  if (matchMedia("(max-width: 40rem)").matches) {
    for (const fold of document.querySelectorAll("details[data-fold]")) fold.open = false;
    reveal();
  }
  addEventListener("hashchange", reveal);
  document.querySelectorAll("table[data-map]").forEach(walkable);
  document.querySelectorAll("table[data-sortable]").forEach(sortable);
  document.querySelectorAll(".tools").forEach(filterable);
  document.querySelectorAll(".printed, .list").forEach(clickable);
}
