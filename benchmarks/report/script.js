(() => {
  const root = document.documentElement;
  const all = (what, within = document) => [...within.querySelectorAll(what)];
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  const paint = () => { root.dataset.theme = chosen ?? (dark.matches ? "dark" : "light"); };
  dark.addEventListener("change", paint);
  paint();
  document.getElementById("theme").addEventListener("click", () => {
    chosen = root.dataset.theme === "dark" ? "light" : "dark";
    paint();
  });

  // Contents: folded on narrow screens; the section in view is marked.
  const menu = document.querySelector(".menu");
  const narrow = matchMedia("(max-width: 1099px)");
  const fold = () => { menu.open = !narrow.matches; };
  narrow.addEventListener("change", fold);
  fold();
  const links = all('.menu a[href^="#"]');
  links.forEach((link) => link.addEventListener("click", () => { if (narrow.matches) menu.open = false; }));
  const mark = () => {
    let current = null;
    for (const link of links) {
      const target = document.getElementById(link.getAttribute("href").slice(1));
      if (target && target.getBoundingClientRect().top < innerHeight / 3) current = link;
    }
    links.forEach((link) => (link === current ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
  };
  addEventListener("scroll", mark, { passive: true });
  mark();

  // A cell's provenance in a dialog.
  const dialog = document.getElementById("provenance-of");
  const open = (target) => {
    dialog.querySelector("h3").textContent = [...target.querySelector("summary").children].map((part) => part.textContent.trim()).filter(Boolean).join(" · ");
    const body = dialog.querySelector(".body");
    body.replaceChildren(...[...target.children].filter((child) => child.tagName !== "SUMMARY").map((child) => child.cloneNode(true)));
    dialog.showModal();
    dialog.scrollTop = 0;
  };
  const follow = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (target && target.matches("details.cell")) { target.open = true; if (dialog.showModal && !dialog.open) open(target); }
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#cell-"]');
    const target = link && document.getElementById(link.getAttribute("href").slice(1));
    if (target && dialog.showModal) {
      event.preventDefault();
      open(target);
    }
  });
  addEventListener("hashchange", follow);
  follow();

  // Pictures: large, with what makes them best or worst; arrows go on, Escape closes.
  const large = document.getElementById("large");
  let strip = [], place = 0;
  const show = (index) => {
    place = (index + strip.length) % strip.length;
    const link = strip[place], image = large.querySelector("img");
    image.src = link.href;
    image.alt = link.querySelector("img").alt;
    large.querySelector("p").textContent = `${place + 1} of ${strip.length}: ${link.dataset.words}`;
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.large");
    if (!link || !large.showModal || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    strip = all("a.large", link.closest(".strip"));
    show(strip.indexOf(link));
    large.showModal();
  });
  large.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") show(place - 1);
    if (event.key === "ArrowRight") show(place + 1);
  });
  large.querySelector(".back").addEventListener("click", () => show(place - 1));
  large.querySelector(".on").addEventListener("click", () => show(place + 1));
  large.querySelector(".close").addEventListener("click", () => large.close());
  dialog.querySelector("button").addEventListener("click", () => dialog.close());
  for (const one of [dialog, large]) one.addEventListener("click", (event) => { if (event.target === one) one.close(); });

  // Tables: sorted by a click on a heading, filtered by words, columns hidden.
  const value = (row, index) => {
    const cell = row.cells[index];
    return cell.dataset.v !== undefined ? Number(cell.dataset.v) : cell.textContent.trim().toLowerCase();
  };
  const compare = (a, b) => {
    if (typeof a === typeof b) return typeof a === "number" ? a - b : a.localeCompare(b);
    return typeof a === "number" ? -1 : 1;
  };
  const sort = (table, heads, index) => {
    const down = heads[index].getAttribute("aria-sort") === "ascending";
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    heads[index].setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = table.tBodies[0], blocks = [[null, []]];
    for (const row of body.rows) row.classList.contains("group") ? blocks.push([row, []]) : blocks[blocks.length - 1][1].push(row);
    for (const [, rows] of blocks) rows.sort((a, b) => (down ? -1 : 1) * compare(value(a, index), value(b, index)));
    body.replaceChildren(...blocks.flatMap(([head, rows]) => (head ? [head, ...rows] : rows)));
  };
  for (const figure of all("figure.table")) {
    const table = figure.querySelector("table"), heads = [...table.tHead.rows[0].cells];
    const rows = [...table.tBodies[0].rows].filter((row) => !row.classList.contains("group"));
    if (rows.length < 2) continue;
    heads.forEach((head, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sort(table, heads, index));
    });
    const tools = document.createElement("div");
    tools.className = "tools";
    const name = figure.querySelector("figcaption").firstChild.textContent.trim();
    if (rows.length > 5) {
      const box = document.createElement("input");
      box.type = "search";
      box.placeholder = "Filter rows";
      box.setAttribute("aria-label", `Filter rows of ${name}`);
      box.addEventListener("input", () => {
        const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
        rows.forEach((row) => { row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word)); });
      });
      tools.append(box);
    }
    if (heads.length > 3) {
      const columns = document.createElement("details");
      columns.className = "columns";
      columns.innerHTML = "<summary>Columns</summary>";
      const list = document.createElement("div");
      heads.slice(1).forEach((head, index) => {
        const label = document.createElement("label"), box = document.createElement("input");
        box.type = "checkbox";
        box.checked = true;
        box.addEventListener("change", () => {
          for (const row of table.rows) if (row.cells.length > index + 1) row.cells[index + 1].hidden = !box.checked;
        });
        label.append(box, " " + head.textContent.replace(/\s+/g, " ").trim());
        list.append(label);
      });
      columns.append(list);
      tools.append(columns);
    }
    if (tools.children.length) figure.querySelector("figcaption").append(tools);
  }
})();
