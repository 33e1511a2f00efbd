// Sentiment over time: a line for each platform, by day; by hour beside bars of less than a day.

import { about, ask } from "./api.js";
import { byId, make } from "./dom.js";
import { clock, date, dateAndTime, isDaily, moment, signed } from "./format.js";
import { colour, faded, onTheme } from "./theme.js";

const PLATFORMS = { news: ["News", "series-1"], twitter: ["X", "series-2"], reddit: ["Reddit", "series-3"] };
/** As many as can be told apart. */
const DAYS_SHOWN = { day: 90, hour: 5 };
const { LineSeries, createChart } = window.LightweightCharts;

export class Sentiment {
  constructor() {
    this.rows = [];
    this.by = "day";
    /** The ticker that is shown. */
    this.about = null;
    this.chart = createChart(byId("sentiment"), {
      autoSize: true,
      layout: { attributionLogo: false, fontSize: 10 },
      handleScroll: false,
      handleScale: false,
      timeScale: {
        borderVisible: false,
        timeVisible: true,
        tickMarkFormatter: (time, kind) => this.#tick(time * 1000, kind),
      },
      rightPriceScale: { borderVisible: false, minimumWidth: 40, scaleMargins: { top: 0.05, bottom: 0.05 } },
      localization: { timeFormatter: (time) => this.#when(time * 1000), priceFormatter: (v) => signed(v, 1) },
    });
    this.lines = Object.fromEntries(
      Object.keys(PLATFORMS).map((name) => [
        name,
        this.chart.addSeries(LineSeries, {
          lineWidth: 1.5,
          priceLineVisible: false,
          lastValueVisible: false,
          pointMarkersVisible: true,
          pointMarkersRadius: 1.5,
          autoscaleInfoProvider: () => ({ priceRange: { minValue: -1, maxValue: 1 } }),
        }),
      ]),
    );
    this.zero = this.lines.news.createPriceLine({
      price: 0,
      lineWidth: 1,
      lineStyle: 2,
      axisLabelVisible: false,
    });
    onTheme(() => this.recolour());
    this.recolour();
  }

  /** Put a word in the place of what is shown, until something is read. */
  forget(word) {
    this.rows = [];
    this.about = null;
    this.draw();
    byId("sentiment-note").textContent = word;
  }

  /** Read and show a ticker's, in steps that suit an interval of bars. */
  async load(ticker, interval, signal) {
    const by = isDaily(interval ?? "1d") ? "day" : "hour";
    const { sentiment } = await ask(about(ticker, "sentiment"), { by }, signal);
    this.by = by;
    this.about = ticker;
    const newest = Math.max(...sentiment.map((row) => row.time));
    this.rows = sentiment.filter((row) => row.time > newest - DAYS_SHOWN[by] * 86400000);
    this.draw();
  }

  /** A day in UTC is a date; an hour is a moment in the user's zone. */
  #when(ms) {
    return this.by === "day" ? date(ms, "UTC") : dateAndTime(ms);
  }

  #tick(ms, kind) {
    if (this.by === "hour" && kind > 2) return clock(ms);
    return moment(ms, { day: "numeric", month: "short" }, this.by === "day" ? "UTC" : undefined);
  }

  draw() {
    const keys = [];
    for (const [name, [label, tone]] of Object.entries(PLATFORMS)) {
      const rows = this.rows.filter((row) => row.platform === name);
      this.lines[name].setData(rows.map((row) => ({ time: row.time / 1000, value: row.sentiment })));
      const last = rows.at(-1);
      if (!last) continue;
      const swatch = make("i");
      swatch.style.color = colour(tone);
      keys.push(make("span", {}, swatch, make("b", {}, `${label} ${signed(last.sentiment)}`)));
    }
    const empty = keys.length === 0;
    byId("sentiment-keys").replaceChildren(...keys);
    byId("sentiment").hidden = empty;
    const note = byId("sentiment-note");
    note.hidden = !empty;
    note.textContent = "No news or posts with a sentiment yet.";
    if (!empty) this.chart.timeScale().fitContent();
  }

  recolour() {
    this.chart.applyOptions({
      layout: { background: { color: colour("panel") }, textColor: colour("muted") },
      grid: { vertLines: { visible: false }, horzLines: { color: faded("muted", 0.12) } },
    });
    this.zero.applyOptions({ color: faded("muted", 0.6) });
    for (const [name, [, tone]] of Object.entries(PLATFORMS)) {
      this.lines[name].applyOptions({ color: colour(tone) });
    }
    if (this.rows.length) this.draw();
  }
}
