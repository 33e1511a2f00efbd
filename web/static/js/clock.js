// The user's clock and the market's.

import { byId, make, setText } from "./dom.js";
import { clock } from "./format.js";

const here = make("b");
const there = make("b");
const name = make("span");

/** The market of the ticker that is shown. */
export const market = { name: "UTC", zone: "UTC" };

/** Show the clock of another market. */
export function setMarket(label, zone) {
  Object.assign(market, { name: label, zone });
  setText(name, `${label} `);
  tick();
}

function tick() {
  setText(here, clock(Date.now()));
  setText(there, clock(Date.now(), market.zone));
}

/** Show both, and keep them going. */
export function startClocks() {
  byId("clocks").append(
    make("span", { title: Intl.DateTimeFormat().resolvedOptions().timeZone }, "Local ", here),
    make("span", { title: "Time at the ticker's market" }, name, there),
  );
  setMarket("UTC", "UTC");
  setInterval(tick, 1000);
}
