// What the pictures' scripts share. It is put before each of them: a script of a widget can import nothing.

// The static picture stands in the output before this one, for readers without a kernel.
function coverStaticPicture(el) {
  let covered = null;
  const frame = requestAnimationFrame(() => {
    const before = el.closest(".jp-OutputArea-child")?.previousElementSibling;
    if (!before?.querySelector("img[src^='data:image/svg+xml'], .jp-RenderedSVG, svg.lbl, .lbl-still")) return;
    covered = before;
    covered.style.display = "none";
  });
  return () => {
    cancelAnimationFrame(frame);
    if (covered) covered.style.display = "";
  };
}

// Python draws every picture for a wide page and for a narrow one. `draw` is told when the one is needed and not the other.
function watchWidth(el, draw) {
  let narrow = false;
  const sizes = new ResizeObserver(() => {
    const now = el.clientWidth > 0 && el.clientWidth < 680;
    if (now !== narrow) draw((narrow = now));
  });
  sizes.observe(el);
  return () => sizes.disconnect();
}

function element(parent, name, look) {
  const made = document.createElement(name);
  if (look) made.className = look;
  parent.append(made);
  return made;
}
