// Headlines and posts about the chosen ticker, newest first.

import { about, ask } from "./api.js";
import { byId, make, safeUrl, segments } from "./dom.js";
import { ago, dateAndTime, direction, signed } from "./format.js";

const SHOWN = 100;
const KEPT = 1000;
const KINDS = { All: null, News: "news", Posts: "post" };
const PLATFORMS = { twitter: "X", reddit: "Reddit" };

export class Feed {
  constructor() {
    this.items = new Map();
    /** The ticker whose texts are read, and the one whose texts are shown. */
    this.ticker = this.about = null;
    this.kind = "All";
    this.press = segments(byId("feed-filter"), Object.keys(KINDS), (kind) => {
      this.kind = kind;
      this.draw();
    });
    setInterval(() => this.draw(), 60000);
  }

  /** Put a word in the place of what is shown, until something is read. */
  forget(word) {
    this.items.clear();
    this.about = null;
    byId("feed").replaceChildren(make("li.note", {}, word));
  }

  /** Read what there is about a ticker. */
  async load(ticker, signal) {
    // What comes while it is read stays: only another ticker's texts go.
    if (ticker !== this.ticker) this.items.clear();
    this.ticker = ticker;
    const [{ news }, { posts }] = await Promise.all([
      ask(about(ticker, "news"), { limit: 200 }, signal),
      ask(about(ticker, "posts"), { limit: 200 }, signal),
    ]);
    news.forEach((item) => this.#keep("news", item));
    posts.forEach((item) => this.#keep("post", item));
    this.about = ticker;
    this.draw();
  }

  /** Take in what has come. */
  take(events) {
    events.forEach(({ name, data }) => this.#keep(name, data));
    if (events.length) this.draw();
  }

  #keep(kind, item) {
    this.items.set(`${kind}|${item.platform ?? ""}|${item.id}`, { kind, ...item });
  }

  draw() {
    this.press(this.kind);
    const wanted = KINDS[this.kind];
    const newest = [...this.items].sort(([, a], [, b]) => b.time - a.time);
    newest.splice(KEPT).forEach(([key]) => this.items.delete(key));
    const shown = newest
      .map(([, item]) => item)
      .filter((item) => wanted === null || item.kind === wanted)
      .slice(0, SHOWN);
    const rows = shown.map(entry);
    if (!rows.length) {
      const what = wanted === "post" ? "posts" : wanted === "news" ? "news" : "news or posts";
      rows.push(make("li.note", {}, `No ${what} about this ticker yet. They appear here by themselves.`));
    }
    byId("feed").replaceChildren(...rows);
  }
}

function entry(item) {
  const from = item.kind === "news" ? item.publisher || item.source : PLATFORMS[item.platform];
  const url = safeUrl(item.url);
  const text = item.kind === "news" ? item.title : item.text;
  const meta = make(
    "p.meta",
    {},
    make("time", { title: dateAndTime(item.time), dateTime: new Date(item.time).toISOString() }, ago(item.time)),
    make("span.from", { title: item.author ?? from }, item.author ? `${from} · ${item.author}` : from),
  );
  if (item.sentiment != null) {
    const score = make(`span.score.${direction(item.sentiment)}`, {}, signed(item.sentiment));
    score.title = "Sentiment, from −1 (bad) to +1 (good)";
    meta.append(score);
  }
  const line = url
    ? make("a.text", { href: url, target: "_blank", rel: "noopener noreferrer" }, text)
    : make("p.text", {}, text);
  return make("li", {}, meta, line);
}
