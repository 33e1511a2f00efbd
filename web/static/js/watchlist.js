// The watchlist: one row a ticker, of which only what changes is touched.

import { byId, make, setText } from "./dom.js";
import { direction, percent, price, seconds } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 62;
const HEIGHT = 26;
const POINTS = 30;
const ARROWS = { up: "▲", down: "▼", sideways: "▶" };

/** Return whether the last news of bars is older than it should be. */
export function isStale(ingested, interval, now = Date.now()) {
  // Daily bars rest over weekends and holidays.
  const patience = seconds(interval) >= 86400 ? 4 * 86400 : 2 * seconds(interval) + 60;
  return now - ingested > patience * 1000;
}

class Row {
  constructor(data, onChoose) {
    this.ticker = make("span.ticker", { title: data.ticker }, data.ticker);
    this.heading = make("span.heading.muted");
    this.last = make("span.last");
    this.percent = make("span.percent");
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.svg.setAttribute("aria-hidden", "true");
    this.path = document.createElementNS(SVG, "path");
    this.svg.append(this.path);
    this.button = make("button", { type: "button", "data-ticker": data.ticker });
    this.button.append(this.ticker, this.svg, this.last, this.heading, this.percent);
    this.button.addEventListener("click", () => onChoose(data.ticker));
    this.element = make("li", {}, this.button);
    this.set(data);
  }

  set(data) {
    this.data = data;
    this.draw();
  }

  /** Take in a bar of this row's interval. */
  bar(bar) {
    const data = this.data;
    if (bar.interval !== data.interval || bar.time < data.time) return false;
    const line = data.sparkline;
    if (bar.time > data.time) {
      data.previous = data.price;
      line.push(bar.close);
      if (line.length > POINTS) line.shift();
    } else {
      line[line.length - 1] = bar.close;
    }
    data.time = bar.time;
    data.price = bar.close;
    data.ingested = bar.ingested;
    data.change = data.previous == null ? null : data.price - data.previous;
    data.change_percent = data.previous ? (data.change / data.previous) * 100 : null;
    return true;
  }

  draw() {
    const { price: last, change_percent: change, trend } = this.data;
    setText(this.last, price(last));
    setText(this.percent, percent(change));
    this.percent.className = `percent ${direction(change)}`;
    this.svg.setAttribute("class", direction(change));
    this.path.setAttribute("d", sparkline(this.data.sparkline));
    if (trend) {
      setText(this.heading, `${ARROWS[trend.direction]} ${trend.direction} ${Math.round(trend.strength)}`);
      this.heading.className = `heading ${trend.direction === "sideways" ? "muted" : trend.direction}`;
    } else {
      setText(this.heading, "no trend yet");
    }
    this.age();
  }

  age() {
    this.element.classList.toggle("stale", isStale(this.data.ingested, this.data.interval));
  }
}

/** Return the path of a little chart. */
function sparkline(closes) {
  if (closes.length < 2) return "";
  const low = Math.min(...closes);
  const range = Math.max(...closes) - low || 1;
  const step = WIDTH / (closes.length - 1);
  return closes
    .map((close, i) => {
      const y = HEIGHT - 2 - ((close - low) / range) * (HEIGHT - 4);
      return `${i ? "L" : "M"}${(i * step).toFixed(1)} ${y.toFixed(1)}`;
    })
    .join("");
}

export class Watchlist {
  /** @param {function(string)} onChoose - called with a ticker. */
  constructor(onChoose) {
    this.rows = new Map();
    this.chosen = null;
    this.onChoose = onChoose;
    this.list = byId("watchlist");
    setInterval(() => this.rows.forEach((row) => row.age()), 15000);
  }

  get tickers() {
    return [...this.rows.keys()];
  }

  /** Show these tickers, as `/api/tickers` has them. */
  fill(tickers) {
    const kept = new Map();
    for (const data of tickers) {
      const row = this.rows.get(data.ticker) ?? new Row(data, this.onChoose);
      row.set(data);
      kept.set(data.ticker, row);
    }
    this.rows = kept;
    this.list.replaceChildren(...[...kept.values()].map((row) => row.element));
    this.choose(this.chosen);
  }

  /** Take in bars and trends; each row is drawn once. Returns the tickers that have no row. */
  take(events) {
    const changed = new Set();
    const unknown = new Set();
    for (const { name, data } of events) {
      const row = this.rows.get(data.ticker);
      if (name === "bar") {
        if (!row) unknown.add(data.ticker);
        else if (row.bar(data)) changed.add(row);
      } else if (name === "trend" && row) {
        row.data.trend = data;
        changed.add(row);
      }
    }
    changed.forEach((row) => row.draw());
    return unknown;
  }

  choose(ticker) {
    this.chosen = ticker;
    for (const [name, row] of this.rows) {
      if (name === ticker) row.button.setAttribute("aria-current", "true");
      else row.button.removeAttribute("aria-current");
    }
    this.rows.get(ticker)?.element.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** Return the ticker so many rows away from the chosen one. */
  neighbour(steps) {
    const names = this.tickers;
    const place = Math.max(0, names.indexOf(this.chosen));
    return names[Math.min(names.length - 1, Math.max(0, place + steps))];
  }
}
