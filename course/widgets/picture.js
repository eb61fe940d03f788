// Brings a drawing to life: Python decides and draws, this shows it, lets it be picked by mouse and keyboard, and
// lets the clocks of running steps tick. State: svg, slim (the same for a narrow
// page), words, panels {key: [{heading, text, code}]}, picked.

function render({ model, el }) {
  el.classList.add("lbl");
  const picture = element(el, "div", "picture");
  const panel = element(el, "div", "panel");
  const words = element(el, "div", "words");
  panel.setAttribute("aria-live", "polite");
  const uncover = coverStaticPicture(el);
  let drawnAt = performance.now();
  let narrow = false;

  function draw() {
    const focused = document.activeElement?.dataset?.key;
    drawnAt = performance.now();
    picture.innerHTML = model.get(narrow ? "slim" : "svg");
    words.textContent = model.get("words");
    picture.querySelector("style")?.remove();
    const svg = picture.querySelector("svg");
    if (!svg) return;
    svg.removeAttribute("class");
    const keys = pickable();
    picture.tabIndex = keys.length ? -1 : 0; // narrow pages scroll it, by keyboard as well
    svg.setAttribute("role", keys.length ? "group" : "img");
    svg.setAttribute("aria-label", svg.querySelector("title")?.textContent ?? "");
    svg.querySelector("title")?.remove();
    svg.querySelectorAll("[data-of]").forEach((shape) => shape.removeAttribute("visibility"));
    keys.forEach((shape, position) => {
      shape.setAttribute("role", "button");
      shape.setAttribute("tabindex", shape.dataset.key === (model.get("picked") || focused) || !position ? 0 : -1);
    });
    if (focused && el.contains(document.activeElement) === false) byKey(focused)?.focus();
    pick();
    tick();
    fade();
  }

  // What a narrow page cuts off fades out, so that it is seen to go on.
  function fade() {
    picture.classList.toggle("more", picture.scrollLeft + picture.clientWidth < picture.scrollWidth - 2);
  }

  function pick() {
    const picked = model.get("picked");
    pickable().forEach((shape) => {
      shape.classList.toggle("picked", shape.dataset.key === picked);
      shape.setAttribute("aria-pressed", shape.dataset.key === picked);
    });
    const parts = model.get("panels")[picked];
    panel.hidden = !parts;
    panel.replaceChildren();
    for (const part of parts ?? []) {
      element(panel, "h4").textContent = part.heading;
      const text = element(panel, part.code ? "pre" : "p");
      text.textContent = part.text;
      if (part.code) text.tabIndex = 0;
    }
  }

  // A running step says how long it has run when it was drawn; from then on its clock is the browser's.
  function tick() {
    const passed = (performance.now() - drawnAt) / 1000;
    for (const clock of picture.querySelectorAll("[data-seconds]")) {
      clock.textContent = `${(Number(clock.dataset.seconds) + passed).toFixed(1)} s`;
    }
  }

  const pickable = () => [...picture.querySelectorAll("[data-key]")];
  const byKey = (key) => pickable().find((shape) => shape.dataset.key === key);
  const keyOf = (event) => event.target.closest?.("[data-key]")?.dataset.key;

  function choose(key) {
    model.set("picked", model.get("picked") === key ? "" : key);
    model.save_changes();
  }
  function onKey(event) {
    const key = keyOf(event);
    if (!key) return;
    const shapes = pickable();
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (step) {
      const next = shapes[shapes.findIndex((shape) => shape.dataset.key === key) + step];
      if (next) {
        shapes.forEach((shape) => shape.setAttribute("tabindex", shape === next ? 0 : -1));
        next.focus();
      }
    } else if (event.key === "Enter" || event.key === " ") choose(key);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  function point(event) {
    const key = event.type === "mouseleave" ? null : keyOf(event);
    picture.querySelectorAll("[data-of]").forEach((shape) => {
      shape.classList.toggle("hot", key != null && shape.dataset.of.split(" ").includes(key));
    });
  }

  picture.addEventListener("click", (event) => keyOf(event) && choose(keyOf(event)));
  picture.addEventListener("keydown", onKey);
  for (const kind of ["mouseover", "focusin", "mouseleave"]) picture.addEventListener(kind, point);
  model.on("change:svg", draw);
  model.on("change:picked", pick);
  model.on("change:panels", pick);
  picture.addEventListener("scroll", fade);
  const sizes = new ResizeObserver(fade);
  sizes.observe(picture);
  const clock = setInterval(tick, 100);
  draw();
  const unwatch = watchWidth(el, (now) => {
    narrow = now;
    draw();
  });

  return () => {
    unwatch();
    clearInterval(clock);
    sizes.disconnect();
    model.off("change:svg", draw);
    model.off("change:picked", pick);
    model.off("change:panels", pick);
    uncover();
  };
}

export default { render };
