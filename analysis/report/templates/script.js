const tables = document.querySelectorAll("table[data-table]");
const shownBy = (cell) => cell.dataset.sort ?? cell.textContent.trim();

const compare = (a, b) => {
  const [x, y] = [Number.parseFloat(a), Number.parseFloat(b)];
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y) || a.localeCompare(b);
  return x - y;
};

const sort = (table, heading, column) => {
  const rising = heading.getAttribute("aria-sort") !== "ascending";
  for (const other of table.tHead.querySelectorAll("[aria-sort]")) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", rising ? "ascending" : "descending");
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => (rising ? 1 : -1) * compare(shownBy(a.cells[column]), shownBy(b.cells[column])));
  table.tBodies[0].append(...rows);
};

const makeSortable = (table) => {
  [...table.tHead.rows].at(-1).querySelectorAll("th").forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sort(table, heading, column));
  });
};

const makeFilterable = (table) => {
  const field = document.createElement("input");
  field.type = "search";
  field.placeholder = "filter rows";
  field.setAttribute("aria-label", `Filter rows: ${table.caption.firstChild.textContent.trim()}`);
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/);
    for (const row of table.tBodies[0].rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
  });
  table.caption.append(field);
};

for (const table of tables) {
  makeSortable(table);
  makeFilterable(table);
}

const SHAKY = "shaky: another run may move it";

const named = (name, text, title = "") => {
  const node = document.createElement(name);
  node.textContent = text;
  if (title) node.title = title;
  return node;
};

const prose = (text) =>
  text.split(/(`[^`]*`|~)/).map((part) => {
    if (part === "~") return named("abbr", part, SHAKY);
    return part.startsWith("`") ? named("code", part.slice(1, -1)) : part;
  });

const moveCell = (cell, [text, note, source, order, look]) => {
  cell.replaceChildren(text, ...note.split("\n").filter(Boolean).map((line) => named("small", line)));
  cell.className = [cell.classList.contains("n") ? "n" : "", look].join(" ").trim();
  if (source) cell.title = source;
  if (order === null) delete cell.dataset.sort;
  else cell.dataset.sort = order;
};

const show = (view, own) => {
  document.querySelector("#sentences").replaceChildren(
    ...view.sentences.map((sentence) => {
      const item = document.createElement("li");
      item.append(...prose(sentence));
      return item;
    }),
  );
  const bursts = document.querySelector("#bursts");
  if (bursts) bursts.textContent = view.bursts;
  for (const limit of document.querySelectorAll("[data-limit]")) limit.textContent = view.limit;
  for (const cell of document.querySelectorAll("[data-key]")) {
    const told = view.cells[cell.dataset.key];
    if (told) moveCell(cell, told);
  }
  document.querySelector("#judged").textContent =
    view.limit_ms === own.limit_ms
      ? ""
      : `Answer, decision table and points are judged at ${view.limit}, from the same trials. ` +
        `Their rates were chosen for ${own.limit}, so intervals may be wider. Charts and words stay at ${own.limit}.`;
};

const views = JSON.parse(document.querySelector("#views").textContent);
const limits = document.querySelector("#limits");
const chosen = () => Number.parseFloat(new URLSearchParams(location.hash.slice(1)).get("limit"));

const makeSelector = (own) => {
  for (const view of views) {
    const label = document.createElement("label");
    const radio = document.createElement("input");
    radio.type = "radio";
    radio.name = "limit";
    radio.value = view.limit_ms;
    radio.checked = view === own;
    radio.addEventListener("change", () => {
      history.replaceState(null, "", `#limit=${view.limit_ms}`);
      show(view, own);
    });
    label.append(radio, view.limit);
    limits.append(label);
  }
  limits.hidden = false;
};

if (views.length && limits) {
  const own = views.find((view) => view.own);
  makeSelector(own);
  const linked = views.find((view) => view.limit_ms === chosen());
  if (linked && linked !== own) {
    limits.querySelector(`[value="${linked.limit_ms}"]`).checked = true;
    show(linked, own);
  }
}

const unfold = () => {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let fold = target && target.closest("details"); fold; fold = fold.parentElement.closest("details")) {
    fold.open = true;
  }
  if (target) target.scrollIntoView();
};
addEventListener("hashchange", unfold);
unfold();
