// The strip of economic series: the latest value of each, and where it came from.

import { ask } from "./api.js";
import { byId, make } from "./dom.js";
import { date, plain, signed } from "./format.js";

const series = new Map();

/** Read all series. */
export async function loadMacro() {
  const { series: rows } = await ask("/api/economy");
  series.clear();
  rows.forEach((row) => series.set(row.series, row));
  draw();
}

/** Take in observations. */
export function takeObservations(events) {
  for (const { data } of events) {
    const row = series.get(data.series);
    if (!row || data.time > row.time) {
      series.set(data.series, { ...data, previous: row?.value ?? null });
    } else if (data.time === row.time && data.realtime_start >= row.realtime_start) {
      series.set(data.series, { ...row, ...data });
    }
  }
  if (events.length) draw();
}

function draw() {
  const items = [...series.values()].map((row) => {
    const change = row.previous == null ? null : row.value - row.previous;
    const title = [row.title || row.series, row.units, date(row.time, "UTC")].filter(Boolean);
    const move = change == null ? "" : signed(change);
    return make(
      "div",
      { title: title.join(" · ") },
      make("dt.name", {}, row.series),
      make("dd", {}, `${plain(row.value)}${row.units === "Percent" ? "%" : ""}`),
      make("dd.move.muted", {}, move),
    );
  });
  byId("macro").replaceChildren(...(items.length ? [make("dl", {}, ...items)] : []));
}
