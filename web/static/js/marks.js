// Which bars get a mark for news and posts.

import { faded } from "./theme.js";

/** Return the place of the bar that a moment lies in; -1 before the first. */
function barAt(bars, ms) {
  let low = 0;
  let high = bars.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bars[middle].time <= ms) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Return how many news and posts fell into which bar: { news, posts } by the bar's time. */
export function textsByBar(bars, texts) {
  const found = new Map();
  for (const kind of ["news", "posts"]) {
    for (const { time } of texts[kind]) {
      const place = barAt(bars, time);
      if (place < 0) continue;
      const at = bars[place].time;
      if (!found.has(at)) found.set(at, { news: 0, posts: 0 });
      found.get(at)[kind] += 1;
    }
  }
  return found;
}

/** Return the marks of lightweight-charts: one a bar and kind, larger where there are several. */
export function marksFor(bars, textsAt) {
  const kinds = [
    { kind: "news", shape: "square", position: "belowBar", color: faded("accent", 0.75) },
    { kind: "posts", shape: "circle", position: "aboveBar", color: faded("muted", 0.75) },
  ];
  return bars
    .filter((bar) => textsAt.has(bar.time))
    .flatMap((bar) =>
      kinds
        .filter(({ kind }) => textsAt.get(bar.time)[kind])
        .map(({ kind, ...look }) => ({
          ...look,
          time: bar.time / 1000,
          size: textsAt.get(bar.time)[kind] > 1 ? 0.6 : 0.4,
        })),
    );
}
