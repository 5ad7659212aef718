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

/* between two measured rates a straight line; below them at most as many as at the lowest, above in proportion */
const coresAt = ({ cores }, rate) => {
  if (!cores.length) return null;
  const after = cores.findIndex(([at]) => at >= rate);
  if (after === 0) return cores[0][1];
  if (after < 0) return (cores.at(-1)[1] * rate) / cores.at(-1)[0];
  const [[low, from], [high, to]] = cores.slice(after - 1, after + 1);
  return from + ((to - from) * (rate - low)) / (high - low);
};

const coresOf = (one, rate) => (coresAt(one, rate) === null ? "–" : figure(coresAt(one, rate)));

const cheapestFirst = (ones, rate) => {
  const cost = (one) => coresAt(one, rate) ?? Number.MAX_VALUE;
  return ones.toSorted((one, other) => cost(one) - cost(other));
};

const advice = (carrying, rate) => {
  const known = carrying.filter(({ cores }) => cores.length);
  const least = known[0];
  const kept = known.find(({ kills }) => kills[0][1] === "good");
  const parts = [...document.querySelectorAll("#carrying th")].slice(-3).map((head) => head.dataset.part);
  const outcomes = ({ kills }) =>
    kills.map(([text], place) => `${parts[place]}: ${text}`).filter((told) => !told.includes("–")).join(", ");
  const told = (one) => `${one.name}, ${coresOf(one, rate)} cores; survives a killed ${outcomes(one)}`;
  return [
    least && `Least processor time: ${told(least)}.`,
    kept && kept !== least && `Of those that lost no task with a killed web process: ${told(kept)}.`,
  ].filter(Boolean).join(" ");
};

const carryingRow = (one, rate, scale, needed) => {
  const row = document.createElement("tr");
  const heads = [...document.querySelectorAll("#carrying th")].map((head) => head.textContent);
  const shaky = one.shaky ? "~" : "";
  const memory = one.memory_mib === null ? "" : `${figure(one.memory_mib)} MiB`;
  const cells = [
    [scale < 1 ? `${shaky}${one.failed === null ? "> " : ""}${figure(one.held)}/s` : one.reach, "n"],
    [slotsOf(one, needed), "n"],
    [coresOf(one, rate / scale), "n", memory],
    [one.starts, "n"],
    [waitAt(one.others, rate / scale), "n"],
    ...one.kills,
  ].map(([text, look, beneath], place) => {
    const cell = named("td", "");
    const told = document.createElement("span");
    told.append(...prose(text));
    cell.append(told, ...(beneath ? [named("small", beneath)] : []));
    cell.className = look;
    cell.dataset.label = heads[place + 1];
    return cell;
  });
  const head = named("th", one.name);
  head.scope = "row";
  head.className = "name";
  const what = named("small", "");
  what.append(...prose(one.what));
  head.append(what);
  row.append(head, ...cells);
  return row;
};

const failing = (one, rate, needed) => {
  const slots = one.slots > 1 || one.first.includes("work") ? `it takes ${slotsOf(one, needed)} slots by the law` : "";
  const cores = slots && one.cores.length ? `about ${coresOf(one, rate)} cores` : "";
  const slowest = one.first.includes("work") ? "" : `99 of 100 requests to its slowest endpoint take up to ${waitAt(one.slowest, rate)}`;
  const told = [`${one.first} at ${one.shaky ? "~" : ""}${figure(one.failed)}/s`, slowest, slots, cores].filter(Boolean);
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
  const carrying = cheapestFirst(all.filter((one) => rate <= one.held), rate / scale);
  const failed = all.filter((one) => one.failed !== null && rate >= one.failed);
  const unknown = all.filter((one) => !carrying.includes(one) && !failed.includes(one));
  const slots = `${figure(needed)} slot${needed === 1 ? "" : "s"}`;
  const fast = carrying.length
    ? `With a fast API it is carried by ${carrying.length} of ${all.length}, least processor time first`
    : "Nothing that was measured carries it with a fast API";
  document.querySelector("#needed").textContent =
    `${figure(rate)}/s of ${figure(ms)} ms keep ${figure((rate * ms) / 1000)} slots in use; take ${slots}. ` +
    fast +
    ` (tasks of ${measured.duration}${about(measured, ms, scale)})${carrying.length ? ":" : "."}`;
  document.querySelector("#advice").textContent = advice(carrying, rate / scale);
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
  for (const part of [ask, document.querySelector("#carriage")]) part.hidden = false;
  whenAddressed(follow);
  follow();
}
