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

function counted(bars, texts) {
  const counts = new Map();
  for (const { time } of texts) {
    const place = barAt(bars, time);
    if (place >= 0) counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  return counts;
}

/** Return the marks of lightweight-charts: one a bar and kind, larger where there are several. */
export function marksFor(bars, { news, posts }) {
  const kinds = [
    { texts: news, shape: "square", position: "belowBar", tone: "accent" },
    { texts: posts, shape: "circle", position: "aboveBar", tone: "muted" },
  ];
  return kinds
    .flatMap(({ texts, shape, position, tone }) =>
      [...counted(bars, texts)].map(([place, count]) => ({
        time: bars[place].time / 1000,
        position,
        shape,
        color: faded(tone, 0.75),
        size: count > 1 ? 0.6 : 0.4,
      })),
    )
    .sort((a, b) => a.time - b.time);
}
