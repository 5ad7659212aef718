const NEAR_PX = 40;
const SAME_PX = 2;
const MOST_TOLD = 4;
const MOST_CHIPS = 12;

const tip = document.createElement("div");
tip.id = "tip";
tip.setAttribute("role", "status");
document.body.append(tip);

for (const title of document.querySelectorAll("figure svg title")) {
  title.parentNode.dataset.told = title.textContent;
  title.remove();
}

const boxOf = (mark) => mark.getBoundingClientRect();
const askable = (figure) =>
  [...figure.querySelectorAll("[data-told]")].filter((mark) => mark.getClientRects().length);
const apart = ({ left, right, top, bottom }, x, y) =>
  Math.hypot(Math.max(left - x, 0, x - right), Math.max(top - y, 0, y - bottom));

const forget = () => {
  for (const mark of document.querySelectorAll(".asked")) mark.classList.remove("asked");
  tip.replaceChildren();
};

const tell = (marks) => {
  forget();
  if (!marks.length) return;
  for (const mark of marks) mark.classList.add("asked");
  tip.replaceChildren(...marks.map((mark) => named("p", mark.dataset.told)));
  const box = boxOf(marks[0]);
  const left = Math.min((box.left + box.right) / 2 + 12, innerWidth - tip.offsetWidth - 8);
  const below = box.bottom + 10;
  const top = below + tip.offsetHeight > innerHeight ? box.top - tip.offsetHeight - 10 : below;
  Object.assign(tip.style, { left: `${Math.max(left, 8)}px`, top: `${Math.max(top, 8)}px` });
};

const nearest = (figure, x, y) => {
  const found = askable(figure)
    .map((mark) => [apart(boxOf(mark), x, y), mark])
    .sort(([a], [b]) => a - b);
  const reach = Math.min(NEAR_PX, (found[0]?.[0] ?? 0) + SAME_PX);
  return found.filter(([distance]) => distance <= reach).map(([, mark]) => mark).slice(0, MOST_TOLD);
};

const subjectOf = (mark) => mark.closest("[data-subject]").dataset.subject;

const step = (marks, at, key) => {
  const place = marks.indexOf(at);
  const others = (mark) => subjectOf(mark) !== subjectOf(at);
  if (place < 0) return marks[0];
  if (key === "ArrowRight") return marks[place + 1] ?? at;
  if (key === "ArrowLeft") return marks[place - 1] ?? at;
  return (key === "ArrowDown" ? marks.slice(place).find(others) : marks.slice(0, place).findLast(others)) ?? at;
};

const answerKeys = (figure, event) => {
  if (event.key === "Escape") forget();
  const marks = askable(figure);
  if (!/^Arrow/.test(event.key) || !marks.length) return;
  event.preventDefault();
  const next = step(marks, figure.querySelector(".asked"), event.key);
  next.scrollIntoView({ block: "nearest", inline: "nearest" });
  tell([next]);
};

const makeAskable = (figure) => {
  const drawn = figure.querySelector(".scroll");
  for (const name of ["pointermove", "pointerdown"]) {
    drawn.addEventListener(name, (event) => tell(nearest(figure, event.clientX, event.clientY)));
  }
  drawn.addEventListener("pointerleave", forget);
  drawn.addEventListener("blur", forget);
  drawn.addEventListener("keydown", (event) => answerKeys(figure, event));
};

const hidden = () => new Set(view.getAll("hide"));

const applyHidden = () => {
  const off = hidden();
  for (const drawn of document.querySelectorAll("figure [data-subject]")) {
    drawn.classList.toggle("off", off.has(drawn.dataset.subject));
  }
  for (const chip of document.querySelectorAll(".chips [value]")) {
    chip.setAttribute("aria-pressed", !off.has(chip.value));
  }
  forget();
};

const hide = (subjects) => {
  remember("hide", subjects);
  applyHidden();
};

const switchOne = (subject) => {
  const off = hidden();
  if (!off.delete(subject)) off.add(subject);
  hide(off);
};

const foldMany = (chips, count) => {
  if (count <= MOST_CHIPS) return chips;
  const fold = document.createElement("details");
  fold.append(named("summary", `Choose among the ${count} that are drawn`), chips);
  return fold;
};

const makeChips = (figure) => {
  const chips = document.querySelector("#chips").cloneNode(true);
  chips.removeAttribute("id");
  chips.hidden = false;
  const drawn = new Set([...figure.querySelectorAll("[data-subject]")].map((each) => each.dataset.subject));
  for (const chip of chips.querySelectorAll("[value]")) {
    if (drawn.has(chip.value)) chip.addEventListener("click", () => switchOne(chip.value));
    else chip.remove();
  }
  chips.querySelector(".all").addEventListener("click", () => hide([]));
  chips.querySelector(".none").addEventListener("click", () => hide(drawn));
  figure.prepend(foldMany(chips, drawn.size));
};

for (const figure of document.querySelectorAll("figure:has([data-subject])")) {
  makeAskable(figure);
  makeChips(figure);
}
applyHidden();
whenAddressed(applyHidden);
