// Sentiment over time: a line for each platform, by day.

import { about, ask } from "./api.js";
import { byId, make } from "./dom.js";
import { date, moment, signed } from "./format.js";
import { colour, faded, onTheme } from "./theme.js";

const PLATFORMS = { news: ["News", "series-1"], twitter: ["X", "series-2"], reddit: ["Reddit", "series-3"] };
const { LineSeries, createChart } = window.LightweightCharts;

export class Sentiment {
  constructor() {
    this.rows = [];
    this.chart = createChart(byId("sentiment"), {
      autoSize: true,
      layout: { attributionLogo: false, fontSize: 10 },
      handleScroll: false,
      handleScale: false,
      timeScale: {
        borderVisible: false,
        tickMarkFormatter: (time) => moment(time * 1000, { day: "numeric", month: "short" }, "UTC"),
      },
      rightPriceScale: { borderVisible: false, minimumWidth: 40, scaleMargins: { top: 0.05, bottom: 0.05 } },
      localization: { timeFormatter: (time) => date(time * 1000, "UTC"), priceFormatter: (v) => signed(v, 1) },
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

  /** Read and show a ticker's. */
  async load(ticker, signal) {
    const { sentiment } = await ask(about(ticker, "sentiment"), { by: "day" }, signal);
    this.rows = sentiment;
    this.draw();
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
