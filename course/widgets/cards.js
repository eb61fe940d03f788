// A card that asks. State: kind (number, one, several), text, unit, options, answer [words], marks {option: words},
// note, look, locked. Only `answer` is set here.

function render({ model, el }) {
  el.classList.add("lbl", "card");
  // arrows and letters that are typed here are no commands of the notebook; Shift+Enter is
  el.addEventListener("keydown", (event) => event.key !== "Enter" && event.stopPropagation());
  const fields = element(el, "fieldset");
  element(fields, "legend").textContent = model.get("text");
  const note = element(el, "p", "note");
  note.setAttribute("aria-live", "polite");
  const kind = model.get("kind");
  const group = `lbl-${Math.random().toString(36).slice(2)}`;
  const inputs = kind === "number" ? [number()] : model.get("options").map(option);

  function number() {
    const label = element(fields, "label", "number");
    const input = element(label, "input");
    Object.assign(input, { type: "number", min: 0, step: "any" });
    label.append(model.get("unit"));
    input.setAttribute("aria-label", `${model.get("text")} ${model.get("unit")}`);
    input.addEventListener("input", () => input.validity.valid && send(input.value === "" ? [] : [input.value]));
    return input;
  }

  function option(words) {
    const label = element(fields, "label");
    const input = element(label, "input");
    Object.assign(input, { type: kind === "one" ? "radio" : "checkbox", name: group, value: words });
    label.append(` ${words} `);
    element(label, "span", "option-mark");
    input.addEventListener("change", () => send(inputs.filter((one) => one.checked).map((one) => one.value)));
    return input;
  }

  function send(answer) {
    model.set("answer", answer);
    model.save_changes();
  }

  function draw() {
    const answer = model.get("answer");
    fields.disabled = model.get("locked");
    for (const input of inputs) {
      if (kind !== "number") {
        input.checked = answer.includes(input.value);
        input.parentElement.querySelector(".option-mark").textContent = model.get("marks")[input.value] ?? "";
      } else if (document.activeElement !== input) input.value = answer[0] ?? "";
    }
    note.className = `note ${model.get("look")}`;
    note.textContent = model.get("note");
    note.hidden = !model.get("note");
  }

  const changes = ["answer", "marks", "note", "look", "locked"].map((name) => `change:${name}`);
  for (const change of changes) model.on(change, draw);
  draw();
  const uncover = coverStaticPicture(el);
  return () => {
    for (const change of changes) model.off(change, draw);
    uncover();
  };
}

export default { render };
