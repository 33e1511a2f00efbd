// The values at the crosshair, or of the last bar: a line of them in each pane.

import { market } from "./clock.js";
import { byId, make, setText } from "./dom.js";
import { clock, direction, fixed, isDaily, percent, volume } from "./format.js";
import { colour } from "./theme.js";

const LABELS = {
  bollinger_upper: "upper",
  bollinger_middle: "middle",
  bollinger_lower: "lower",
  macd: "macd",
  macd_hist: "hist",
  macd_signal: "signal",
  stochastic_k: "%K",
  stochastic_d: "%D",
  plus_di: "+DI",
  minus_di: "−DI",
};

export class Legend {
  constructor(owner) {
    this.owner = owner;
    this.shown = null;
    this.panes = [];
    owner.chart.subscribeCrosshairMove(({ time, logical }) => {
      this.shown = time === undefined ? null : (owner.bars[logical] ?? null);
      this.draw();
    });
    new ResizeObserver(() => this.#place()).observe(byId("chart"));
  }

  /** Lay the lines out anew, because other indicators are shown. */
  arrange() {
    const byPane = new Map([[0, []]]);
    for (const line of this.owner.lines) {
      if (!byPane.has(line.pane)) byPane.set(line.pane, []);
      byPane.get(line.pane).push(line);
    }
    this.panes = [...byPane].map(([pane, lines]) => {
      const title = pane ? make("span", {}, make("i", {}, lines[0].entry.label)) : null;
      const values = lines.map((line) => {
        const name = line.entry.over ? line.output.toUpperCase() : LABELS[line.output];
        const value = make("span");
        const label = line.entry.oneColour ? `BB ${LABELS[line.output]}` : (name ?? "");
        const tag = pane ? "span.below" : "span.over";
        return { line, value, element: make(tag, {}, make("i", {}, label), value) };
      });
      const head = make("span");
      const element = make("p.legend", {}, pane ? title : head, ...values.map((v) => v.element));
      return { pane, head, values, element };
    });
    byId("legends").replaceChildren(...this.panes.map((one) => one.element));
    requestAnimationFrame(() => this.#place());
    this.draw();
  }

  #place() {
    const panes = this.owner.chart.panes();
    let top = 0;
    const tops = panes.map((pane) => {
      const here = top;
      top += pane.getHeight() + 1;
      return here;
    });
    // Clear of the scale, which is as wide as its figures.
    const scale = this.owner.chart.priceScale("right").width();
    byId("legends").style.right = `${scale + 6}px`;
    for (const { pane, element } of this.panes) element.style.top = `${(tops[pane] ?? 0) + 6}px`;
  }

  draw() {
    const bars = this.owner.bars;
    const bar = this.shown ?? bars.at(-1);
    if (!bar) return;
    for (const { pane, head, values } of this.panes) {
      if (pane === 0) this.#head(head, bar, bars[bars.indexOf(bar) - 1]);
      for (const { line, value } of values) {
        setText(value, line.figure(bar.indicators[line.output]));
        value.style.color = line.isBars ? "" : colour(line.tone);
      }
    }
  }

  #head(head, bar, before) {
    const change = before?.close ? (bar.close / before.close - 1) * 100 : null;
    const tone = direction(bar.close - bar.open);
    const pair = (label, text) => make("span", {}, make("i", {}, label), make(`span.${tone}`, {}, text));
    const price = (value) => fixed(value, this.owner.decimals);
    const texts = this.owner.textsAt.get(bar.time) ?? {};
    const there = isDaily(this.owner.interval) ? "" : ` · ${market.name} ${clock(bar.time, market.zone)}`;
    head.className = "legend-head";
    head.replaceChildren(
      make("span", {}, `${this.owner.when(bar.time)}${there}${bar.closed ? "" : " · forming"}`),
      pair("O", price(bar.open)),
      pair("H", price(bar.high)),
      pair("L", price(bar.low)),
      pair("C", price(bar.close)),
      pair("", percent(change)),
      pair("Vol", volume(bar.volume)),
      ...(texts.news ? [count("News", texts.news)] : []),
      ...(texts.posts ? [count("Posts", texts.posts)] : []),
    );
  }
}

const count = (label, number) => make("span", {}, make("i", {}, label), String(number));
