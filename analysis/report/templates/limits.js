const moveCell = (cell, [text, note, source, order, look]) => {
  cell.replaceChildren(text, ...note.split("\n").filter(Boolean).map((line) => named("small", line)));
  cell.className = [cell.classList.contains("n") ? "n" : "", look].join(" ").trim();
  if (source) cell.title = source;
  if (order) cell.dataset.sort = order;
  else delete cell.dataset.sort;
};

const show = (chosen, own) => {
  document.querySelector("#sentences").replaceChildren(
    ...chosen.sentences.map((sentence) => {
      const item = document.createElement("li");
      item.append(...prose(sentence));
      return item;
    }),
  );
  const bursts = document.querySelector("#under-bursts");
  if (bursts) bursts.textContent = chosen.bursts;
  for (const limit of document.querySelectorAll("[data-limit]")) limit.textContent = chosen.limit;
  for (const cell of document.querySelectorAll("[data-key]")) {
    const told = chosen.cells[cell.dataset.key] ?? own.cells[cell.dataset.key];
    if (told) moveCell(cell, told);
  }
  document.querySelector("#judged").textContent =
    chosen.limit_ms === own.limit_ms
      ? ""
      : `Answer, calculator, decision table and points are judged at ${chosen.limit}, from the same trials. ` +
        `Their rates were chosen for ${own.limit}, so intervals may be wider. Charts and readings stay at ${own.limit}.`;
};

const views = JSON.parse(document.querySelector("#views").textContent);
const limits = document.querySelector("#limits");
const ownView = views.find((each) => each.own);
const chosen = (own) =>
  views.find((each) => each.limit_ms === Number.parseFloat(view.get("limit"))) ?? own;

const makeSelector = (own) => {
  for (const each of views) {
    const label = document.createElement("label");
    const radio = document.createElement("input");
    radio.type = "radio";
    radio.name = "limit";
    radio.value = each.limit_ms;
    radio.addEventListener("change", () => {
      remember("limit", [each.limit_ms]);
      show(each, own);
    });
    label.append(radio, each.limit);
    limits.append(label);
  }
  limits.hidden = false;
};

if (views.length && limits) {
  const own = ownView;
  const showChosen = () => {
    limits.querySelector(`[value="${chosen(own).limit_ms}"]`).checked = true;
    show(chosen(own), own);
  };
  makeSelector(own);
  if (chosen(own) !== own) showChosen();
  else limits.querySelector(`[value="${own.limit_ms}"]`).checked = true;
  whenAddressed(showChosen);
}
