// What stands in the chart's place while there is nothing to draw.

import { byId, make } from "./dom.js";

const place = byId("chart-state");

function show(kind, ...children) {
  place.className = `state ${kind}`;
  place.replaceChildren(...children);
}

/** It takes a moment. */
export function showLoading() {
  show("loading", make("span.spinner"), make("p", {}, "Loading"));
}

/** There is nothing, and why; null takes the message away. */
export function showNothing(reason) {
  if (reason === null) show("");
  else show("empty", make("strong", {}, reason), make("p", {}, "They appear here by themselves."));
}

/** The database has no bars at all yet. */
export function showWelcome() {
  show(
    "empty",
    make("strong", {}, "No prices yet"),
    make(
      "p",
      {},
      "They appear here by themselves as soon as bars arrive. To see some, run ",
      make("code", {}, "make run"),
      ", or start a worker with ",
      make("code", {}, "TICKERS"),
      " and ",
      make("code", {}, "PRICE_SOURCE"),
      ".",
    ),
  );
}

/** Something went wrong: what, and a way to try again. */
export function showError(error, again) {
  const button = make("button.plain-button", { type: "button" }, "Try again");
  button.addEventListener("click", again);
  const reason = error.remedy ? `${error.message}; ${error.remedy}` : "The worker does not answer.";
  show("error", make("strong", {}, "This could not be loaded"), make("p", {}, reason), button);
}
