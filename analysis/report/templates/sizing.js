const carriers = JSON.parse(document.querySelector("#carriers").textContent);
const ask = document.querySelector("#ask");
const MOST_LISTED = 12;

const figure = (value) =>
  value >= 10 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(2)));

const measuredFor = (ms) => carriers.find((each) => each.duration_ms >= ms) ?? carriers.at(-1);

const about = (measured, ms, scale) => {
  if (scale < 1) return `, the longest that were measured, scaled to ${figure(ms)} ms by the same law`;
  return measured.duration_ms > ms ? ", the next longer ones that were measured: shorter ones are no harder" : "";
};

const waitAt = (curve, rate) => {
  const near = curve.find(([at]) => at >= rate) ?? curve.at(-1);
  return near ? `${near[1]} at ${figure(near[0])}/s` : "–";
};

const slotsOf = ({ slots, by }, needed) => {
  if (!slots) return "unlimited";
  const many = Math.ceil(needed / slots);
  return many > 1 ? `${many} ${by}${by.endsWith("s") ? "es" : "s"} of ${figure(slots)}` : figure(slots);
};

const coresOf = ({ cpu_ms }, rate) => (cpu_ms === null ? "–" : figure((rate * cpu_ms) / 1000));

const byCost = (ones) => ones.toSorted((one, other) => (one.cpu_ms ?? Infinity) - (other.cpu_ms ?? Infinity) || 0);

const cheapest = (ones) => byCost(ones.filter(({ cpu_ms }) => cpu_ms !== null))[0] ?? null;

const advice = (carrying, rate) => {
  const least = cheapest(carrying);
  const kept = cheapest(carrying.filter(({ kills }) => kills[0][1] === "good"));
  const told = (one) => `${one.name} (${coresOf(one, rate)} cores)`;
  return [
    least && `Least processor time of these: ${told(least)}.`,
    kept && kept !== least && `Of those that lost no task with a killed web process: ${told(kept)}.`,
  ].filter(Boolean).join(" ");
};

const carryingRow = (one, rate, scale, needed) => {
  const row = document.createElement("tr");
  const heads = [...document.querySelectorAll("#carrying th")].map((head) => head.textContent);
  const shaky = one.shaky ? "~" : "";
  const cells = [
    [`${shaky}${one.failed === null ? "> " : ""}${figure(one.held)}/s`, "n"],
    [slotsOf(one, needed), "n"],
    [coresOf(one, rate), "n"],
    [one.starts, "n"],
    [waitAt(one.others, rate / scale), "n"],
    ...one.kills,
  ].map(([text, look], place) => {
    const cell = named("td", "");
    const told = document.createElement("span");
    told.append(...prose(text));
    cell.append(told);
    cell.className = look;
    cell.dataset.label = heads[place + 1];
    return cell;
  });
  const head = named("th", one.name);
  head.scope = "row";
  head.className = "name";
  row.append(head, ...cells);
  return row;
};

const failing = (one, rate, needed) => {
  const behind = one.first.includes("work");
  const slots = behind && one.slots ? `it takes ${slotsOf(one, needed)} slots by the law` : "";
  const slowest = behind ? "" : `its slowest requests take ${waitAt(one.slowest, rate)}`;
  const told = [`${one.first} at ${figure(one.failed)}/s`, slots, slowest].filter(Boolean);
  return `${one.name}: ${told.join(", ")}`;
};

const unsure = ({ name, held, failed }) => {
  const told = [held && `held at ${figure(held)}/s`, failed && `gave way at ${figure(failed)}/s`];
  return `${name}: ${told.filter(Boolean).join(", ")}`;
};

const listedOf = (words, ones) => {
  const list = document.createElement("ul");
  list.append(...ones.map((one) => named("li", one)));
  const many = ones.length > MOST_LISTED;
  const part = document.createElement(many ? "details" : "div");
  part.append(many ? named("summary", `${words} ${ones.length}`) : named("p", words), list);
  return ones.length ? [part] : [];
};

const judged = (measured) => {
  const told = ownView && chosen(ownView).carried[measured.duration];
  return told ? measured.subjects.filter(({ name }) => told[name]).map((one) => ({ ...one, ...told[one.name] })) : measured.subjects;
};

const reckon = (rate, ms) => {
  const measured = measuredFor(ms);
  const scale = Math.min(1, measured.duration_ms / ms);
  const needed = Math.ceil(Number(((rate * ms) / 1000 / ask.dataset.busy).toFixed(9)));
  const all = judged(measured).map((one) => ({
    ...one,
    held: one.held * scale,
    failed: one.failed === null ? null : one.failed * scale,
  }));
  const carrying = byCost(all.filter((one) => rate <= one.held));
  const failed = all.filter((one) => one.failed !== null && rate >= one.failed);
  const unknown = all.filter((one) => !carrying.includes(one) && !failed.includes(one));
  const slots = `${figure(needed)} slot${needed === 1 ? "" : "s"}`;
  document.querySelector("#needed").textContent =
    `${figure(rate)}/s of ${figure(ms)} ms keep ${figure((rate * ms) / 1000)} slots in use; take ${slots}. ` +
    (carrying.length ? `With a fast API it is carried by ${carrying.length} of ${all.length}, least processor time first` : "Nothing that was measured carries it with a fast API") +
    ` (tasks of ${measured.duration}${about(measured, ms, scale)})${carrying.length ? ":" : "."}`;
  document.querySelector("#advice").textContent = advice(carrying, rate);
  document.querySelector("#carrying tbody").replaceChildren(...carrying.map((one) => carryingRow(one, rate, scale, needed)));
  document.querySelector("#carrying").parentElement.hidden = !carrying.length;
  document.querySelector("#others").replaceChildren(
    ...listedOf("Gives way by then, and what it takes:", failed.map((one) => failing(one, rate / scale, needed))),
    ...listedOf("Not known, since nothing was measured between:", unknown.map(unsure)),
  );
};

if (ask && carriers.length) {
  const fields = { rate: document.querySelector("#rate"), of: document.querySelector("#each") };
  const valid = () => Object.values(fields).every((field) => field.valueAsNumber > 0);
  const answer = () => valid() && reckon(fields.rate.valueAsNumber, fields.of.valueAsNumber);
  const follow = () => {
    for (const [name, field] of Object.entries(fields)) if (view.has(name)) field.value = view.get(name);
    answer();
  };
  for (const [name, field] of Object.entries(fields)) {
    field.addEventListener("input", () => {
      if (valid()) remember(name, [field.value]);
      answer();
    });
  }
  if (limits) limits.addEventListener("change", answer);
  ask.hidden = false;
  whenAddressed(follow);
  follow();
}
