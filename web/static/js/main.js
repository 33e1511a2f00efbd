// Puts the parts together.

import { loadAlerts, takeAlerts } from "./alerts.js";
import { ask } from "./api.js";
import { startClocks } from "./clock.js";
import { byId, segments, setText } from "./dom.js";
import { listenToKeys } from "./keys.js";
import { Live } from "./live.js";
import { loadMacro, takeObservations } from "./macro.js";
import { toggleMenu } from "./menu.js";
import { RANGES, readAddress, state, writeAddress } from "./state.js";
import { showError, showWelcome } from "./states.js";
import { toggleTheme } from "./theme.js";
import { TickerView, fittingRange } from "./ticker.js";
import { Watchlist } from "./watchlist.js";

const LIVE_WORDS = { live: "Live", waiting: "Reconnecting", down: "MongoDB away" };

const view = new TickerView();
const watchlist = new Watchlist((ticker) => choose({ ticker }));
const pressRange = segments(byId("ranges"), Object.keys(RANGES), (range) => choose({ range }));
const filter = byId("filter");
let pressInterval = () => {};
let reload = null;

const live = new Live({
  events: take,
  state: (name) => {
    byId("live").dataset.state = name;
    setText(byId("live").querySelector(".word"), LIVE_WORDS[name]);
  },
  begun: (resumed) => {
    if (!resumed) refresh();
  },
  reset: refresh,
});

function take(events) {
  const unknown = watchlist.take(events);
  view.take(events);
  takeObservations(events.filter(({ name }) => name === "observation"));
  takeAlerts(events.filter(({ name }) => name === "alert"));
  if (unknown.size && !filter.value) reload ??= setTimeout(loadWatchlist, 300);
}

/** Read everything that may have changed meanwhile. */
async function refresh() {
  try {
    await Promise.all([loadWatchlist(), view.catchUp(), loadMacro(), loadAlerts()]);
  } catch {
    // The stream says whether the worker is there; it comes back here when it is.
  }
}

async function loadWatchlist() {
  reload = null;
  const parameters = { limit: 200, prefix: filter.value.trim().toUpperCase() };
  const { tickers, next } = await ask("/api/tickers", parameters);
  watchlist.fill(tickers);
  const note = byId("watch-note");
  note.hidden = tickers.length > 0 && !next;
  note.textContent = next
    ? "The first 200. Filter to see others."
    : filter.value
      ? "No ticker begins so."
      : "No tickers yet.";
  if (!filter.value) live.follow(next ? watchlist.tickers : null);
  if (!tickers.length && !filter.value) showWelcome();
  else if (!state.ticker && tickers.length) choose({ ticker: tickers[0].ticker });
}

/** Look at something else: another ticker, interval or range. */
function choose(change) {
  const before = { ...state };
  Object.assign(state, change);
  const row = watchlist.rows.get(state.ticker)?.data;
  const intervals = row?.intervals ?? [state.interval ?? "1d"];
  if (!intervals.includes(state.interval)) state.interval = row?.interval ?? intervals[0];
  if (state.interval !== before.interval && before.interval) state.range = fittingRange(state.interval);
  pressInterval = segments(byId("intervals"), intervals, (interval) => choose({ interval }));
  pressInterval(state.interval);
  pressRange(state.range);
  watchlist.choose(state.ticker);
  writeAddress();
  view.show();
}

function nextInterval() {
  const names = [...byId("intervals").children].map((button) => button.textContent);
  choose({ interval: names[(names.indexOf(state.interval) + 1) % names.length] });
}

function move(steps) {
  const ticker = watchlist.neighbour(steps);
  if (ticker && ticker !== state.ticker) choose({ ticker });
}

let typing = null;
filter.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => loadWatchlist().catch(() => {}), 150);
});
byId("theme").addEventListener("click", toggleTheme);
addEventListener("hashchange", () => {
  readAddress();
  choose({});
});

listenToKeys({
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  j: () => move(1),
  k: () => move(-1),
  "/": () => filter.focus(),
  i: nextInterval,
  n: () => toggleMenu(),
  ArrowLeft: () => view.chart.scroll(-0.1),
  ArrowRight: () => view.chart.scroll(0.1),
  "+": () => view.chart.zoom(0.8),
  "-": () => view.chart.zoom(1.25),
  t: toggleTheme,
  Escape: () => toggleMenu(false),
  ...Object.fromEntries(
    Object.keys(RANGES).map((range, i) => [String(i + 1), () => choose({ range })]),
  ),
});

async function start() {
  startClocks();
  readAddress();
  if (state.ticker) choose({});
  try {
    await Promise.all([loadWatchlist(), loadMacro(), loadAlerts()]);
    // The row knows which intervals there are; the address only named one.
    if (state.ticker) {
      const row = watchlist.rows.get(state.ticker)?.data;
      if (row) {
        pressInterval = segments(byId("intervals"), row.intervals, (interval) => choose({ interval }));
        pressInterval(state.interval);
        watchlist.choose(state.ticker);
      }
    }
  } catch (error) {
    showError(error, start);
    // When the worker is back, the stream says so, and everything is read.
    live.follow(null);
  }
}

start();
