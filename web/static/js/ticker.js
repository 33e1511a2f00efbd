// The chosen ticker: its bars with their indicators, its texts, its trend; read, then kept live.

import { about, ask } from "./api.js";
import { catalogFor } from "./catalog.js";
import { PriceChart } from "./chart.js";
import { isClosed, setMarket } from "./clock.js";
import { byId, setText } from "./dom.js";
import { Feed } from "./feed.js";
import { ago, direction, fixed, isDaily, percent, seconds, signed } from "./format.js";
import { fillMenu } from "./menu.js";
import { Sentiment } from "./sentiment.js";
import { RANGES, state } from "./state.js";
import { showError, showLoading, showNothing } from "./states.js";
import { forgetTrend, showTrend } from "./trend.js";
import { isStale } from "./watchlist.js";

const MOST_BARS = 10000;
const FEWEST_BARS = 320;
/** How long news and posts are collected before sentiment is read anew. */
const SENTIMENT_PAUSE_MS = 3000;

export class TickerView {
  constructor() {
    this.chart = new PriceChart(() => this.#older());
    this.feed = new Feed();
    this.sentiment = new Sentiment();
    this.outputs = [];
    this.next = null;
    /** The ticker whose name is shown, and the one whose trend is. */
    this.named = this.judged = null;
    /** Bars that came while some were being read: those that were read may be older. */
    this.arrived = [];
    setInterval(() => this.#head(), 15000);
  }

  /** Show the ticker, interval and range of `state`. */
  show() {
    this.showing = this.#show();
    return this.showing;
  }

  /** Read what may have changed while nobody listened; all of it, where that failed before. */
  async catchUp() {
    await this.showing;
    if (state.ticker) await (this.loaded ? this.#refresh() : this.show());
  }

  async #show() {
    this.aborter?.abort();
    this.aborter = new AbortController();
    const { signal } = this.aborter;
    const { ticker, interval } = state;
    this.loaded = false;
    this.next = null;
    this.arrived = [];
    setText(byId("symbol"), ticker);
    document.title = `${ticker} · Financial Trends`;
    // What is known of one ticker must not stand under the name of another.
    if (ticker !== this.named) ["price", "change", "freshness"].forEach((id) => setText(byId(id), ""));
    this.named = ticker;
    const loading = setTimeout(() => {
      this.#forget("Loading");
      showLoading();
    }, 150);
    try {
      const bars = this.#bars(ticker, interval, signal).then(() => clearTimeout(loading));
      await Promise.all([bars, this.#around(ticker, signal)]);
      this.loaded = true;
      this.chart.take(this.arrived);
      this.#head();
    } catch (error) {
      if (error.name !== "AbortError") {
        this.#forget("Could not be loaded");
        showError(error, () => this.show());
      }
    } finally {
      clearTimeout(loading);
    }
  }

  /** Put a word in the place of what is shown of another ticker, or of none. */
  #forget(word) {
    const { ticker } = state;
    if (this.judged !== ticker) {
      this.judged = null;
      forgetTrend(word);
    }
    if (this.feed.about !== ticker) this.feed.forget(word);
    if (this.sentiment.about !== ticker) this.sentiment.forget(word);
  }

  async #bars(ticker, interval, signal) {
    const days = RANGES[state.range];
    const wanted = Math.ceil((days * 86400) / seconds(interval)) + 60;
    const limit = Math.min(MOST_BARS, Math.max(FEWEST_BARS, wanted));
    const parameters = { interval, limit, indicators: this.#wanted() };
    const answer = await ask(about(ticker, "bars"), parameters, signal);
    this.next = answer.next;
    this.chart.setIndicators(this.#entries());
    this.chart.setBars(answer.bars, interval);
    this.chart.setRange(days);
    this.#head();
    showNothing(answer.bars.length ? null : `No ${interval} bars of ${ticker} are stored`);
    this.#csv();
  }

  async #around(ticker, signal) {
    const [detail, trend] = await Promise.all([
      ask(about(ticker), {}, signal).catch(withoutBars),
      ask(about(ticker, "trend"), { limit: 1 }, signal),
      this.feed.load(ticker, signal),
      this.sentiment.load(ticker, state.interval, signal),
    ]);
    this.judged = ticker;
    const before = this.#wanted();
    this.outputs = [...new Set(detail.intervals.flatMap((one) => one.indicators))];
    setMarket(detail);
    this.#head();
    fillMenu(catalogFor(this.outputs), () => this.redraw());
    showTrend(trend.latest);
    this.#marks();
    // The first ticker's bars were asked for before anybody knew what it has.
    if (this.#wanted() !== before) await this.redraw();
  }

  /** Read the newest bars, texts and trend. */
  async #refresh() {
    const { ticker, interval } = state;
    const parameters = { interval, limit: 50, indicators: this.#wanted() };
    const [{ bars }, { latest }] = await Promise.all([
      ask(about(ticker, "bars"), parameters),
      ask(about(ticker, "trend"), { limit: 1 }),
      this.feed.load(ticker),
    ]);
    if (ticker !== state.ticker || interval !== state.interval) return;
    this.chart.take(bars);
    showTrend(latest);
    this.#marks();
    this.#head();
  }

  /** Draw other indicators: their values are read. */
  async redraw() {
    this.chart.setIndicators(this.#entries());
    this.#marks();
    this.arrived = [];
    const parameters = {
      interval: state.interval,
      limit: Math.min(MOST_BARS, Math.max(1, this.chart.bars.length)),
      indicators: this.#wanted(),
    };
    try {
      const { bars } = await ask(about(state.ticker, "bars"), parameters, this.aborter.signal);
      this.chart.setBars(bars, state.interval);
      this.chart.take(this.arrived);
    } catch (error) {
      if (error.name !== "AbortError") showError(error, () => this.show());
    }
  }

  /** Go further back, when the first bars come into view. */
  async #older() {
    if (!this.next || this.reading || this.chart.bars.length > 3 * MOST_BARS) return;
    this.reading = true;
    const { ticker, interval } = state;
    const cursor = this.next;
    try {
      const parameters = { interval, limit: 1000, cursor, indicators: this.#wanted() };
      const answer = await ask(about(ticker, "bars"), parameters, this.aborter.signal);
      if (this.next !== cursor || ticker !== state.ticker || interval !== state.interval) return;
      this.next = answer.next;
      this.chart.setBars([...answer.bars, ...this.chart.bars], interval);
    } catch (error) {
      if (error.name !== "AbortError") this.next = null;
    } finally {
      this.reading = false;
    }
  }

  /** Take in events of this ticker. */
  take(events) {
    const mine = events.filter(({ data }) => data.ticker === state.ticker);
    const bars = mine.filter(({ name, data }) => name === "bar" && data.interval === state.interval);
    this.arrived.push(...bars.map(({ data }) => data));
    this.arrived.splice(0, this.arrived.length - FEWEST_BARS);
    if (bars.length && this.loaded) {
      this.chart.take(bars.map(({ data }) => data));
      showNothing(null);
      this.#head();
    }
    const trend = mine.findLast(({ name }) => name === "trend");
    if (trend) showTrend(trend.data);
    const texts = mine.filter(({ name }) => name === "news" || name === "post");
    if (texts.length) {
      this.feed.take(texts);
      this.#marks();
      const { ticker } = state;
      this.timer ??= setTimeout(() => {
        this.timer = null;
        if (ticker === state.ticker) this.sentiment.load(ticker, state.interval).catch(() => {});
      }, SENTIMENT_PAUSE_MS);
    }
  }

  #wanted() {
    return this.#entries().flatMap((one) => one.outputs).join(",") || "none";
  }

  #entries() {
    const catalog = catalogFor(this.outputs.length ? this.outputs : EXPECTED);
    return Object.entries(catalog)
      .filter(([name]) => state.indicators.has(name))
      .map(([, one]) => one);
  }

  #marks() {
    const texts = [...this.feed.items.values()];
    const of = (kind, name) =>
      state.indicators.has(name) ? texts.filter((item) => item.kind === kind) : [];
    this.chart.setTexts(of("news", "news"), of("post", "posts"));
  }

  #head() {
    const bar = this.chart.bars.at(-1);
    const before = this.chart.bars.at(-2);
    if (!bar) {
      ["price", "change", "freshness"].forEach((id) => setText(byId(id), ""));
      return;
    }
    const change = before ? bar.close - before.close : null;
    const share = before?.close ? (change / before.close) * 100 : null;
    const last = fixed(bar.close, this.chart.decimals);
    setText(byId("price"), last);
    const moved = change == null ? "" : `${signed(change, this.chart.decimals)} (${percent(share)})`;
    setText(byId("change"), moved);
    document.title = `${state.ticker} ${last} (${percent(share)}) · Financial Trends`;
    byId("change").className = `change ${direction(change)}`;
    const late = isStale(bar.ingested, state.interval);
    // No market is closed for longer than a daily bar may rest.
    const stale = late && (!isClosed() || isStale(bar.ingested, "1d"));
    const silent = stale ? "source silent, last" : "market closed, last";
    const words = `${late ? silent : "updated"} ${ago(bar.ingested)}`;
    setText(byId("freshness"), `${this.chart.when(bar.time)} · ${words}`);
    byId("freshness").classList.toggle("stale", stale);
    const label = `${state.ticker}, ${state.interval} bars, last close ${last}, ${moved}`;
    byId("chart").setAttribute("aria-label", `Price chart of ${label}`);
  }

  #csv() {
    const query = new URLSearchParams({ interval: state.interval, limit: MOST_BARS, format: "csv" });
    byId("csv").href = `${about(state.ticker, "bars")}?${query}`;
    byId("csv").download = `${state.ticker}-${state.interval}.csv`;
    byId("csv").hidden = !this.chart.bars.length;
  }
}

/** News and posts may be all that there is about a ticker. */
function withoutBars(error) {
  if (error.status !== 404) throw error;
  return { market: "UTC", zone: "UTC", opens: null, closes: null, intervals: [] };
}

/** What a ticker usually has: asked for before its own list has come. */
const EXPECTED = ["sma", "ema", "vwap", "bollinger_upper", "rsi", "macd", "stochastic_k", "adx", "atr"];
EXPECTED.push("cci", "williams_r", "mfi", "roc", "obv");

/** Return a range in which an interval has some hundred bars. */
export function fittingRange(interval) {
  const length = seconds(interval) / 86400;
  const names = Object.keys(RANGES);
  if (isDaily(interval)) return length > 1 ? "5Y" : "1Y";
  return names.find((name) => RANGES[name] / length >= 250) ?? "1Y";
}
