// The keyboard.

import { byId, make } from "./dom.js";

/** What each key does, in words: shown on "?". */
const HELP = [
  ["↑ ↓", "the ticker before, the next one (also k and j)"],
  ["/", "filter the tickers"],
  ["i", "next interval"],
  ["1 … 7", "range: a day to everything"],
  ["n", "choose indicators"],
  ["← →", "scroll the chart; + and − zoom"],
  ["t", "light or dark"],
  ["?", "these keys"],
  ["Esc", "close, or leave a field"],
];

/**
 * Listen to the keyboard.
 * @param {Object<string, function()>} actions - by key.
 */
export function listenToKeys(actions) {
  byId("keys").replaceChildren(
    ...HELP.flatMap(([key, what]) => [
      make("dt", {}, ...key.split(" ").map((one) => make("kbd", {}, one))),
      make("dd", {}, what),
    ]),
  );
  const help = byId("help");
  byId("help-button").addEventListener("click", () => help.showModal());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    const field = event.target.closest("input, select, textarea");
    if (event.key === "Escape") {
      field?.blur();
      actions.Escape();
      return;
    }
    if (field && field.type !== "checkbox") return;
    // Arrows move within what scrolls by itself.
    if (event.key.startsWith("Arrow") && event.target.closest("#feed, #alerts, #macro, .menu")) return;
    if (event.key === "?") {
      help.showModal();
    } else if (actions[event.key]) {
      event.preventDefault();
      actions[event.key]();
    }
  });
}
