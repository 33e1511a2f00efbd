// The trend of the chosen ticker, and why it is what it is.

import { byId, make } from "./dom.js";
import { ago, dateAndTime, signed } from "./format.js";

const WORDS = { up: "▲ Up", down: "▼ Down", sideways: "▶ Sideways" };

/** Put a word in its place. */
export function forgetTrend(word) {
  byId("trend").replaceChildren(make("p.note", {}, word));
}

/** Show a trend as the API has it; null where there is none yet. */
export function showTrend(trend) {
  const place = byId("trend");
  if (!trend) {
    place.replaceChildren(
      make("p.note", {}, "No trend yet: it needs some bars, and is surer with news and posts."),
    );
    return;
  }
  const tone = trend.direction === "sideways" ? "muted" : trend.direction;
  const bar = make("i");
  bar.style.transform = `scaleX(${trend.strength / 100})`;
  const scores = Object.entries(trend.components).flatMap(([name, score]) => {
    const mark = make(`i.${score < 0 ? "down" : "up"}`);
    mark.style.transform = `scaleX(${Math.max(-1, Math.min(1, score))})`;
    return [
      make("dt", {}, name.replaceAll("_", " ")),
      make("dd.scale", { "aria-hidden": "true" }, mark),
      make("dd.score", {}, signed(score)),
    ];
  });
  place.replaceChildren(
    make(
      "p.verdict",
      { title: dateAndTime(trend.time) },
      make(`strong.${tone}`, {}, WORDS[trend.direction]),
      make("span", {}, `${Math.round(trend.strength)} of 100`),
      make("span.muted", {}, `${Math.round(trend.confidence * 100)}% sure · ${ago(trend.time)}`),
    ),
    make(`div.meter.${tone}`, { "aria-hidden": "true" }, bar),
    trend.reasons.length
      ? make("ul.reasons", {}, ...trend.reasons.map((reason) => make("li", {}, reason)))
      : make("p.note", {}, "Nothing points anywhere yet."),
    make("dl.components", {}, ...scores),
  );
}
