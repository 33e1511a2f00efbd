// The user's clock and the market's.

import { byId, make, setText } from "./dom.js";
import { clock } from "./format.js";

const here = make("b");
const there = make("b");
const name = make("span");
const trading = make("span");

/** The market of the ticker that is shown; its regular hours, null where it never closes. */
export const market = { name: "UTC", zone: "UTC", opens: null, closes: null };

/** Show the clock of another market, as `/api/tickers/{ticker}` has it. */
export function setMarket({ market: label, zone, opens, closes }) {
  Object.assign(market, { name: label, zone, opens, closes });
  setText(name, `${label} `);
  tick();
}

/** Return whether the market is outside its regular hours; holidays are not known here. */
export function isClosed(now = Date.now()) {
  if (market.opens === null) return false;
  const day = new Intl.DateTimeFormat("en", { weekday: "short", timeZone: market.zone }).format(now);
  const time = clock(now, market.zone, "en");
  return day === "Sat" || day === "Sun" || time < market.opens || time >= market.closes;
}

function tick() {
  setText(here, clock(Date.now()));
  setText(there, clock(Date.now(), market.zone));
  setText(trading, market.opens === null ? "" : isClosed() ? " closed" : " open");
}

/** Show both, and keep them going. */
export function startClocks() {
  byId("clocks").append(
    make("span", { title: Intl.DateTimeFormat().resolvedOptions().timeZone }, "Local ", here),
    make("span", { title: "Time at the ticker's market" }, name, there, trading),
  );
  setMarket({ market: "UTC", zone: "UTC", opens: null, closes: null });
  setInterval(tick, 1000);
}
