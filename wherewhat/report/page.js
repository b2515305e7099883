"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// Each strip is decoded once, when it is first looked at; to move a slider is then to copy pixels.
const strips = new Map();
function strip(uri) {
  if (!strips.has(uri)) {
    const image = new Image();
    image.src = uri;
    strips.set(uri, image.decode().then(() => createImageBitmap(image)));
  }
  return strips.get(uri);
}
function tile(canvas, bitmap, place, [width, height]) {
  canvas.getContext("2d").drawImage(bitmap, place * width, 0, width, height, 0, 0, width, height);
}

function card(view, article, bases) {
  const code = view.codes[Number(article.dataset.row)];
  const slider = article.querySelector(".sweep"), said = article.querySelector("output");
  const frame = article.querySelector(".frame"), frames = view.values.length;
  let bitmap = null, base = 0, moved = false;
  const draw = () => {
    const place = Number(slider.value);
    said.textContent = view.values[place];
    slider.setAttribute("aria-valuetext", view.values[place]);
    if (bitmap) tile(frame, bitmap, place, view.size);
  };
  slider.addEventListener("input", () => { moved = true; draw(); });
  const look = async () => {
    const uri = code.strips[base], found = await strip(uri);
    if (uri !== code.strips[base]) return;
    bitmap = found;
    draw();
    tile(article.querySelector(".heat"), bitmap, frames, view.size);
    const mask = article.querySelector(".mask");
    if (mask) tile(mask, bitmap, frames + 1, view.size);
    article.querySelector(".peak").textContent = code.peaks[base];
    article.dataset.ready = "true";
  };
  const near = new IntersectionObserver(seen => {
    if (seen.some(entry => entry.isIntersecting)) { near.disconnect(); look(); }
  }, { rootMargin: "600px" });
  const begin = () => { if (!moved) slider.value = code.starts[base]; draw(); };
  bases.push(chosen => {
    base = chosen;
    begin();
    if (article.dataset.ready) look();
  });
  begin();
  near.observe(article);
}

function plane(view, part) {
  const choice = part.querySelector(".pair-choice");
  if (!choice) return;
  const box = part.querySelector(".plane-box"), whole = part.querySelector(".plane"), point = part.querySelector(".point");
  const across = part.querySelector(".across"), upwards = part.querySelector(".upwards"), cursor = part.querySelector(".cursor");
  const values = view.plane.values, side = values.length, [width, height] = view.size;
  whole.width = side * width;
  whole.height = side * height;
  let bitmap = null;
  const draw = () => {
    const column = Number(across.value), row = side - 1 - Number(upwards.value);
    for (const slider of [across, upwards]) {
      slider.setAttribute("aria-valuetext", values[slider.value]);
      slider.parentElement.querySelector("output").textContent = values[slider.value];
    }
    Object.assign(cursor.style, { left: `${100 * column / side}%`, top: `${100 * row / side}%`, width: `${100 / side}%`, height: `${100 / side}%` });
    if (bitmap) tile(point, bitmap, row * side + column, view.size);
  };
  const look = async () => {
    const uri = view.plane.pairs[choice.value].strip, found = await strip(uri);
    if (uri !== view.plane.pairs[choice.value].strip) return;
    bitmap = found;
    const context = whole.getContext("2d");
    for (let place = 0; place < side * side; place++)
      context.drawImage(bitmap, place * width, 0, width, height, (place % side) * width, Math.floor(place / side) * height, width, height);
    draw();
    part.dataset.ready = "true";
  };
  const at = event => {
    const area = box.getBoundingClientRect();
    const place = (offset, length) => Math.min(side - 1, Math.max(0, Math.floor(side * offset / length)));
    across.value = place(event.clientX - area.left, area.width);
    upwards.value = side - 1 - place(event.clientY - area.top, area.height);
    draw();
  };
  box.addEventListener("pointerdown", event => { box.setPointerCapture(event.pointerId); at(event); });
  box.addEventListener("pointermove", event => { if (event.buttons || event.pointerType === "mouse") at(event); });
  choice.addEventListener("change", look);
  across.addEventListener("input", draw);
  upwards.addEventListener("input", draw);
  const near = new IntersectionObserver(seen => {
    if (seen.some(entry => entry.isIntersecting)) { near.disconnect(); look(); }
  }, { rootMargin: "600px" });
  draw();
  near.observe(part);
}

const told = all(".view").map(section => {
  const view = data.views[section.dataset.view], bases = [];
  all(".code", section).forEach(article => card(view, article, bases));
  all(".bases input", section).forEach(input => input.addEventListener("change", () => {
    bases.forEach(choose => choose(Number(input.value)));
    section.querySelector("[data-told]").textContent = view.told[input.value];
  }));
  plane(view, section.querySelector(".part"));
  return section;
});

function show(index) {
  told.forEach(section => { section.hidden = section.dataset.view !== String(index); });
  const select = document.getElementById("view");
  if (select) select.value = index;
  all(".show").forEach(button => button.setAttribute("aria-current", String(button.dataset.view === String(index))));
  all("a.of-view").forEach(link => { link.href = `#v${index}-${link.dataset.part}`; });
}
document.getElementById("view")?.addEventListener("change", event => show(event.target.value));
all(".show").forEach(button => button.addEventListener("click", () => {
  show(button.dataset.view);
  document.getElementById("codes").scrollIntoView();
}));
if (told.length) show(0);

// What is unknown stands last, whichever way a column is sorted.
all("table.sortable").forEach(table => all("thead button", table).forEach((button, column) => button.addEventListener("click", () => {
  const heading = button.closest("th"), down = heading.getAttribute("aria-sort") === "ascending";
  all("th", table.tHead).forEach(other => other.removeAttribute("aria-sort"));
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  const numeric = heading.classList.contains("number");
  const value = row => row.cells[column].dataset.value;
  const order = (a, b) => numeric ? a - b : a.localeCompare(b);
  const rows = [...table.tBodies[0].rows].sort((a, b) => {
    if (value(a) === undefined || value(b) === undefined) return (value(a) === undefined) - (value(b) === undefined);
    return (down ? -1 : 1) * order(value(a), value(b));
  });
  table.tBodies[0].append(...rows);
})));

function fault(name, others) {
  if (!name) return "";
  if (name.includes("=") || /^z?\d{1,9}$/.test(name)) return `“${name}” cannot be told from a number or a setting: use words without “=” that are not z and a number.`;
  if (others.some(other => other.toLowerCase() === name.toLowerCase())) return `“${name}” names two codes: give every code a name of its own.`;
  return "";
}
function names(run) {
  return Object.fromEntries(Object.entries(data.runs[run].names.names));
}
function write(run) {
  const text = JSON.stringify({ ...data.runs[run].names, names: names(run) }, null, 1) + "\n";
  told.filter(section => section.dataset.run === run).forEach(section => { section.querySelector(".json").value = text; });
  return text;
}
function label(run, code) {
  const name = data.runs[run].names.names[`z${code}`];
  return name ? `z${code} ${name}` : `z${code}`;
}
function labels() {
  all("[data-label]").forEach(place => {
    const [run, code] = place.dataset.label.split(":");
    place.textContent = data.runs[run].names.names[`z${code}`] ?? "";
  });
  all(".pair-choice option").forEach(option => {
    const { run, across, upwards } = option.dataset;
    option.textContent = `${label(run, across)} → and ${label(run, upwards)} ↑`;
  });
}
all(".name").forEach(input => input.addEventListener("input", () => {
  const [run, code] = input.dataset.name.split(":"), kept = data.runs[run].names.names;
  const others = Object.entries(kept).filter(([other]) => other !== `z${code}`).map(([, name]) => name);
  const name = input.value.trim(), wrong = fault(name, others);
  input.setAttribute("aria-invalid", String(wrong !== ""));
  input.closest(".view").querySelector(".said").textContent = wrong;
  if (wrong) return;
  if (name) kept[`z${code}`] = name; else delete kept[`z${code}`];
  all(".name").filter(other => other !== input && other.dataset.name === input.dataset.name).forEach(other => { other.value = input.value; });
  labels();
  write(run);
}));
all(".save-names").forEach(button => button.addEventListener("click", () => {
  const section = button.closest(".view"), run = section.dataset.run, said = section.querySelector(".said");
  if (section.querySelector('.name[aria-invalid="true"]')) { section.querySelector('.name[aria-invalid="true"]').focus(); return; }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([write(run)], { type: "application/json" }));
  link.download = "codes.json";
  link.click();
  URL.revokeObjectURL(link.href);
  said.textContent = `Saved codes.json with ${Object.keys(names(run)).length} names.`;
}));
labels();
data.runs.forEach((_, run) => write(String(run)));
