// The chart of one ticker: candles, volume, indicators over them and in panes below, marks.

import { byId } from "./dom.js";
import { clock, date, dateAndTime, decimalsOf, figuresOf, fixed, isDaily, moment } from "./format.js";
import { Legend } from "./legend.js";
import { marksFor, textsByBar } from "./marks.js";
import { colour, faded, onTheme } from "./theme.js";

const { CandlestickSeries, HistogramSeries, LineSeries, createChart, createSeriesMarkers } =
  window.LightweightCharts;

/** Bars left of the visible ones, below which older ones are fetched. */
const NEAR_THE_START = 30;
const PALETTE = ["series-1", "series-2", "series-3", "series-4", "series-5"];
const PANE_SHARE = 0.22;
/** A single bar is not drawn as wide as the chart. */
const FEWEST_ACROSS = 40;

const at = (bar) => bar.time / 1000;

export class PriceChart {
  /** @param {function()} onStart - called when the first bars come into view. */
  constructor(onStart) {
    this.bars = [];
    this.interval = "1d";
    this.lines = [];
    this.decimals = 2;
    this.texts = { news: [], posts: [] };
    this.textsAt = new Map();
    this.chart = createChart(byId("chart"), {
      autoSize: true,
      layout: { attributionLogo: false, fontSize: 11, panes: { enableResize: true } },
      timeScale: {
        rightOffset: 4,
        tickMarkFormatter: (time, kind) => this.#tick(time * 1000, kind),
      },
      // A finger that moves up or down scrolls the page.
      handleScroll: { vertTouchDrag: false },
      localization: { timeFormatter: (time) => this.when(time * 1000) },
      rightPriceScale: { minimumWidth: 66 },
    });
    this.candles = this.chart.addSeries(CandlestickSeries, { borderVisible: false });
    this.volume = this.chart.addSeries(HistogramSeries, {
      priceScaleId: "volume",
      priceFormat: { type: "volume" },
      lastValueVisible: false,
      priceLineVisible: false,
    });
    this.volume.priceScale().applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
    this.candles.priceScale().applyOptions({ scaleMargins: { top: 0.14, bottom: 0.18 } });
    this.markers = createSeriesMarkers(this.candles, []);
    this.legend = new Legend(this);
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (range && range.from < NEAR_THE_START && this.bars.length) onStart();
    });
    onTheme(() => this.recolour());
    this.recolour();
  }

  /** Return a bar's time in words: its date, or the moment in the user's zone. */
  when(ms) {
    return isDaily(this.interval) ? date(ms, "UTC") : dateAndTime(ms);
  }

  /** Show these bars, oldest first. */
  setBars(bars, interval) {
    this.bars = bars;
    this.interval = interval;
    this.decimals = decimalsOf(bars.at(-1)?.close ?? 100);
    this.chart.applyOptions({
      timeScale: { timeVisible: !isDaily(interval), secondsVisible: interval.endsWith("s") },
    });
    this.#drawAll();
  }

  /** Take in bars as they are now; those that are new at the end, or the last one, cost little. */
  take(bars) {
    let older = false;
    for (const bar of bars) {
      const last = this.bars.at(-1);
      if (!last || bar.time >= last.time) {
        if (bar.time === last?.time) this.bars[this.bars.length - 1] = bar;
        else this.bars.push(bar);
        if (!older) this.#drawOne(bar);
      } else {
        older = this.#put(bar) || older;
      }
    }
    if (older) this.#drawAll();
    this.legend.draw();
  }

  #put(bar) {
    let place = this.bars.findLastIndex((one) => one.time <= bar.time);
    if (place < 0) return false; // before what has been loaded
    if (this.bars[place].time === bar.time) this.bars[place] = bar;
    else this.bars.splice(++place, 0, bar);
    return true;
  }

  /** Draw these entries of the catalogue, each in a pane of its own or over the prices. */
  setIndicators(entries) {
    this.lines.forEach(({ series }) => this.chart.removeSeries(series));
    this.lines = [];
    let pane = 0;
    let over = 0;
    for (const one of entries) {
      if (!one.over) pane += 1;
      one.outputs.forEach((output, i) => {
        const tone = PALETTE[(one.over ? over + (one.oneColour ? 0 : i) : i) % PALETTE.length];
        this.lines.push(this.#line(one, output, tone, one.over ? 0 : pane));
      });
      if (one.over) over += 1;
    }
    this.chart.panes().forEach((one, i) => one.setStretchFactor(i ? PANE_SHARE : 1));
    // Many panes are not squeezed: the chart grows, and is scrolled.
    byId("chart").style.setProperty("--panes", pane);
    this.#setFigures();
    this.lines.forEach((line) => this.#fillLine(line));
    this.legend.arrange();
  }

  #line(one, output, tone, pane) {
    const isBars = one.bars === output;
    const series = this.chart.addSeries(
      isBars ? HistogramSeries : LineSeries,
      {
        lineWidth: 1.5,
        lineStyle: output.endsWith("_middle") ? 2 : 0,
        ...(isBars ? {} : { color: colour(tone) }),
        priceLineVisible: false,
        lastValueVisible: !one.over && one.outputs[0] === output,
        crosshairMarkerVisible: false,
      },
      pane,
    );
    const levels = [];
    if (one.outputs.at(-1) === output) {
      for (const price of one.levels ?? []) {
        const level = { price, lineWidth: 1, lineStyle: 2, axisLabelVisible: false };
        levels.push(series.createPriceLine({ ...level, color: faded("muted", 0.6) }));
      }
    }
    return { series, output, tone, pane, isBars, levels, entry: one, figure: String };
  }

  /** Write all values of a pane with the same decimals, and what lies over prices as prices are. */
  #setFigures() {
    const inPrices = (value) => fixed(value, this.decimals);
    this.candles.applyOptions({ priceFormat: written(inPrices, this.decimals) });
    const sizes = new Map();
    for (const { pane, output } of this.lines) {
      let size = sizes.get(pane) ?? 0;
      for (const bar of this.bars) size = Math.max(size, Math.abs(bar.indicators[output] ?? 0));
      sizes.set(pane, size);
    }
    for (const line of this.lines) {
      const size = sizes.get(line.pane);
      line.figure = line.pane ? figuresOf(size) : inPrices;
      const decimals = line.pane ? decimalsOf(size) : this.decimals;
      line.series.applyOptions({ priceFormat: written(line.figure, decimals) });
    }
  }

  #fillLine({ series, output, isBars }) {
    series.setData(this.bars.map((bar) => this.#point(bar, output, isBars)));
  }

  #point(bar, output, isBars) {
    const value = bar.indicators[output];
    if (value == null) return { time: at(bar) };
    const tone = isBars ? { color: faded(value < 0 ? "down" : "up", 0.55) } : {};
    return { time: at(bar), value, ...tone };
  }

  #volumePoint(bar) {
    return { time: at(bar), value: bar.volume, color: bar.close < bar.open ? this.falls : this.rises };
  }

  #drawAll() {
    this.#setFigures();
    this.candles.setData(this.bars.map(candle));
    this.volume.setData(this.bars.map((bar) => this.#volumePoint(bar)));
    this.lines.forEach((line) => this.#fillLine(line));
    this.#drawMarks();
    this.legend.draw();
  }

  #drawOne(bar) {
    this.candles.update(candle(bar));
    this.volume.update(this.#volumePoint(bar));
    for (const { series, output, isBars } of this.lines) {
      series.update(this.#point(bar, output, isBars));
    }
  }

  /** Mark the bars at which there was news, or were posts. */
  setTexts(news, posts) {
    this.texts = { news, posts };
    this.#drawMarks();
  }

  #drawMarks() {
    this.textsAt = textsByBar(this.bars, this.texts);
    this.markers.setMarkers(marksFor(this.bars, this.textsAt));
    this.legend.draw();
  }

  /** Show the last so many days; everything with Infinity. */
  setRange(days) {
    const last = this.bars.at(-1);
    if (!last) return;
    const first = this.bars.findIndex((bar) => bar.time >= last.time - days * 86400000);
    const from = Math.min(first, this.bars.length - FEWEST_ACROSS);
    this.chart.timeScale().setVisibleLogicalRange({ from: from - 0.5, to: this.bars.length + 3 });
  }

  /** Scroll by a share of what is visible; negative is back in time. */
  scroll(share) {
    const scale = this.chart.timeScale();
    const range = scale.getVisibleLogicalRange();
    if (!range) return;
    const step = (range.to - range.from) * share;
    scale.setVisibleLogicalRange({ from: range.from + step, to: range.to + step });
  }

  /** Zoom around the newest visible bar; below 1 is closer. */
  zoom(factor) {
    const scale = this.chart.timeScale();
    const range = scale.getVisibleLogicalRange();
    if (range) scale.setVisibleLogicalRange({ from: range.to - (range.to - range.from) * factor, to: range.to });
  }

  recolour() {
    const [up, down, line, grid, muted] = ["up", "down", "line", "grid", "muted"].map(colour);
    this.rises = faded("up", 0.3);
    this.falls = faded("down", 0.3);
    this.chart.applyOptions({
      layout: {
        background: { color: colour("panel") },
        textColor: muted,
        fontFamily: getComputedStyle(document.body).fontFamily,
        panes: { separatorColor: line, separatorHoverColor: faded("accent", 0.2) },
      },
      grid: { vertLines: { color: grid }, horzLines: { color: grid } },
      timeScale: { borderColor: line },
      rightPriceScale: { borderColor: line },
      crosshair: {
        mode: 0,
        vertLine: { color: muted, labelBackgroundColor: colour("accent") },
        horzLine: { color: muted, labelBackgroundColor: colour("accent") },
      },
    });
    this.candles.applyOptions({ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down });
    for (const { series, tone, isBars, levels } of this.lines) {
      if (!isBars) series.applyOptions({ color: colour(tone) });
      levels.forEach((level) => level.applyOptions({ color: faded("muted", 0.6) }));
    }
    if (this.bars.length) this.#drawAll();
  }

  #tick(ms, kind) {
    const zone = isDaily(this.interval) ? "UTC" : undefined;
    if (kind === 0) return moment(ms, { year: "numeric" }, zone);
    if (kind === 1) return moment(ms, { month: "short" }, zone);
    if (kind === 2) return moment(ms, { day: "numeric" }, zone);
    return clock(ms, zone);
  }
}

function candle({ time, open, high, low, close }) {
  return { time: time / 1000, open, high, low, close };
}

/** How a scale writes its values. */
function written(formatter, decimals) {
  return { type: "custom", minMove: 10 ** -decimals, formatter };
}
