// Lines to move, files to tick, arguments to set. Every change is a question to Python; its answer is drawn when it
// comes. State: rows [{id, text, more, mark, word, look, reason, seconds}], files [{path, edited}], unlisted,
// arguments {name: value}, defaults {name: value}, total, error, can_build, busy, result
// (SVG for a wide page and for a narrow one), answered (the number of the question).

function render({ model, el }) {
  el.classList.add("lbl", "whatif");
  const head = element(el, "h4");
  const help = element(el, "p", "faintwords");
  help.textContent = "Drag a line, or move it with Alt+↑ and Alt+↓. Tick the files that you would edit.";
  const list = element(el, "ol", "lines");
  list.setAttribute("aria-label", "The Dockerfile's lines, movable");
  const error = element(el, "div", "error");
  error.setAttribute("role", "alert");
  const knobs = element(el, "div", "knobs");
  const button = element(el, "button");
  const result = element(el, "div", "result");
  const total = element(el, "div", "words");
  total.setAttribute("aria-live", "polite");
  head.textContent = "What if?";
  let question = model.get("answered");
  let askedAt = 0;
  let dragged = null;
  let narrow = false;

  let asked = null; // what was asked last, until it is answered: hands can be faster than answers

  const plan = () =>
    asked ?? {
      order: model.get("rows").map((row) => row.id),
      edited: model.get("files").filter((file) => file.edited).map((file) => file.path),
      arguments: model.get("arguments"),
    };

  function ask(change, build = false) {
    question = Math.max(question, model.get("answered")) + 1;
    askedAt = performance.now();
    asked = { ...plan(), ...change };
    model.send({ question, build, ...asked });
  }

  function move(id, by) {
    const ids = [...plan().order];
    const from = ids.indexOf(id);
    const to = Math.min(ids.length - 1, Math.max(0, from + by));
    if (to === from) return;
    ids.splice(to, 0, ...ids.splice(from, 1));
    ask({ order: ids });
  }

  function drawLines() {
    if (model.get("answered") >= question) asked = null;
    const focused = list.contains(document.activeElement) ? document.activeElement.dataset.id : null;
    list.replaceChildren(...model.get("rows").map(line));
    if (focused !== null) list.querySelector(`[data-id="${focused}"]`)?.focus();
    head.textContent = `What if? ${model.get("total")}`;
    total.textContent = model.get("total");
    error.hidden = !model.get("error");
    error.textContent = model.get("error");
    if (askedAt) el.dataset.repaintMs = (performance.now() - askedAt).toFixed(1);
    el.dataset.answered = model.get("answered");
  }

  function line(row) {
    const item = document.createElement("li");
    item.className = row.look;
    item.dataset.id = row.id;
    item.tabIndex = 0;
    item.draggable = true;
    element(item, "span", "handle").textContent = "⠿";
    const code = element(item, "code");
    code.textContent = row.more ? `${row.text} … (${row.more} more)` : row.text;
    element(item, "span", "verdict").textContent = `${row.mark} ${row.word}`;
    element(item, "span", "seconds").textContent = row.seconds;
    if (row.reason) element(item, "span", row.broke ? "reason broke" : "reason").textContent = row.reason;
    item.addEventListener("keydown", (event) => {
      const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!by) return;
      event.preventDefault();
      event.stopPropagation();
      if (event.altKey) move(row.id, by);
      else (by < 0 ? item.previousElementSibling : item.nextElementSibling)?.focus();
    });
    item.addEventListener("dragstart", (event) => {
      dragged = row.id;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", row.text);
    });
    item.addEventListener("dragover", (event) => dragged !== null && event.preventDefault());
    item.addEventListener("drop", (event) => {
      event.preventDefault();
      event.stopPropagation();
      const ids = plan().order;
      if (dragged !== null) move(dragged, ids.indexOf(row.id) - ids.indexOf(dragged));
      dragged = null;
    });
    return item;
  }

  function drawKnobs() {
    const focused = knobs.contains(document.activeElement) ? document.activeElement.dataset.name : null;
    if (focused && document.activeElement.type === "text") return; // what is typed is newer than what Python heard of
    knobs.replaceChildren();
    for (const file of model.get("files")) {
      const label = element(knobs, "label");
      const box = element(label, "input");
      box.type = "checkbox";
      box.checked = file.edited;
      box.dataset.name = file.path;
      label.append(` ${file.path} edited`);
      box.addEventListener("change", () => {
        const others = plan().edited.filter((path) => path !== file.path);
        ask({ edited: box.checked ? [...others, file.path] : others });
      });
    }
    const unlisted = model.get("unlisted");
    if (unlisted) element(knobs, "span", "faintwords").textContent = `and ${unlisted} more files`;
    for (const [name, value] of Object.entries(model.get("arguments"))) {
      const label = element(knobs, "label");
      label.append(`${name} = `);
      const field = element(label, "input");
      field.value = value;
      field.placeholder = model.get("defaults")[name];
      field.size = 12;
      field.dataset.name = name;
      field.addEventListener("input", () => ask({ arguments: { ...plan().arguments, [name]: field.value } }));
    }
    if (focused) [...knobs.querySelectorAll("input")].find((one) => one.dataset.name === focused)?.focus();
  }

  function drawResult() {
    button.hidden = !model.get("can_build");
    button.disabled = model.get("busy");
    button.textContent = model.get("busy") ? "building …" : "Build it";
    result.innerHTML = model.get("result")[Number(narrow)] ?? "";
    result.querySelector("style")?.remove();
  }

  button.addEventListener("click", () => ask({}, true));
  const listeners = [
    ["answered", drawLines],
    ["error", drawLines],
    ["files", drawKnobs],
    ["arguments", drawKnobs],
    ["busy", drawResult],
    ["result", drawResult],
  ];
  for (const [name, listener] of listeners) model.on(`change:${name}`, listener);
  drawLines();
  drawKnobs();
  drawResult();
  const uncover = coverStaticPicture(el);
  const unwatch = watchWidth(el, (now) => {
    narrow = now;
    drawResult();
  });
  return () => {
    unwatch();
    for (const [name, listener] of listeners) model.off(`change:${name}`, listener);
    uncover();
  };
}

export default { render };
