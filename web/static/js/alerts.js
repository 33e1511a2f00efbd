// What the alert rules have fired, of all tickers, newest first.

import { ask } from "./api.js";
import { byId, make } from "./dom.js";
import { ago, dateAndTime } from "./format.js";

const SHOWN = 50;
const alerts = new Map();

/** Read the newest alerts. */
export async function loadAlerts() {
  const { alerts: rows } = await ask("/api/alerts", { limit: SHOWN });
  alerts.clear();
  rows.forEach((row) => alerts.set(row.id, row));
  draw();
}

/** Take in what has come: new alerts, and what has become of others at their webhooks. */
export function takeAlerts(events) {
  events.forEach(({ data }) => alerts.set(data.id, data));
  if (events.length) draw();
}

function draw() {
  const newest = [...alerts.values()].sort((a, b) => b.time - a.time || (a.id < b.id ? 1 : -1));
  newest.splice(SHOWN).forEach((row) => alerts.delete(row.id));
  byId("alerts").replaceChildren(...newest.map(entry));
  // Without rules there is nothing to show, and the room is the headlines'.
  byId("alerts-panel").hidden = !newest.length;
}

function entry(alert) {
  const meta = make(
    "p.meta",
    {},
    make("strong", {}, alert.severity),
    make("a", { href: `#${encodeURIComponent(alert.ticker)}` }, alert.ticker),
    make("span.from", { title: alert.rule }, alert.rule),
    make("time", { title: dateAndTime(alert.time), dateTime: new Date(alert.time).toISOString() }, ago(alert.time)),
  );
  const line = make("p.text", { title: alert.condition }, alert.message);
  const failed = Object.entries(alert.deliveries)
    .filter(([, outcome]) => outcome.startsWith("failed"))
    .map(([name, outcome]) => make("p.undelivered", {}, `${name} ${outcome}`));
  return make(`li.${alert.severity}`, {}, meta, line, ...failed);
}

setInterval(() => alerts.size && draw(), 60000);
