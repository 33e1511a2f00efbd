// The menu of indicators.

import { MARKS } from "./catalog.js";
import { byId, make } from "./dom.js";
import { remember, state } from "./state.js";

const button = byId("indicators-button");
const menu = byId("indicators-menu");

/** Open or close it. */
export function toggleMenu(open = menu.hidden) {
  menu.hidden = !open;
  button.setAttribute("aria-expanded", String(open));
  if (open) menu.querySelector("input")?.focus();
}

/**
 * Offer what a ticker has.
 * @param {object} catalog - see catalog.js.
 * @param {function()} onChange - called after a choice.
 */
export function fillMenu(catalog, onChange) {
  const column = (title, entries) =>
    make("div", {}, make("p.title", {}, title), ...entries.map(([name, label]) => box(name, label, onChange)));
  const of = (over) =>
    Object.entries(catalog)
      .filter(([, one]) => Boolean(one.over) === over)
      .map(([name, one]) => [name, one.label]);
  menu.replaceChildren(
    column("Over prices", of(true)),
    column("Below", of(false)),
    column("Marks", Object.entries(MARKS)),
  );
}

function box(name, label, onChange) {
  const input = make("input", { type: "checkbox", name, checked: state.indicators.has(name) });
  input.addEventListener("change", () => {
    if (input.checked) state.indicators.add(name);
    else state.indicators.delete(name);
    remember();
    onChange();
  });
  return make("label", {}, input, label);
}

button.addEventListener("click", () => toggleMenu());
document.addEventListener("pointerdown", (event) => {
  if (!menu.hidden && !menu.contains(event.target) && event.target !== button) toggleMenu(false);
});
