// The stream of changes. Events are collected and handed out once a frame, however many come.

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 15000;
const DATA_EVENTS = ["bar", "news", "post", "trend", "alert", "observation"];
//: Silence after which a connection counts as dead; heartbeats come every 10 s.
const SILENCE_MS = 25000;

export class Live {
  /**
   * @param {object} handlers - `events(list)` once a frame; `state(name)` with "live", "waiting"
   *   or "down"; `begun(resumed)` when the stream has begun; `reset()` when changes may be missing.
   */
  constructor(handlers) {
    this.handlers = handlers;
    this.tickers = null;
    this.lastId = null;
    this.pause = FIRST_PAUSE_MS;
    this.waiting = [];
    this.frame = null;
    this.heard = Date.now();
    setInterval(() => this.#checkSilence(), 5000);
  }

  /** Follow these tickers from now on; null for all. */
  follow(tickers) {
    const same = JSON.stringify(tickers) === JSON.stringify(this.tickers);
    if (same && this.source) return;
    this.tickers = tickers;
    this.#connect();
  }

  #connect() {
    clearTimeout(this.timer);
    this.source?.close();
    const query = new URLSearchParams();
    if (this.tickers) query.set("tickers", this.tickers.join(","));
    if (this.lastId) query.set("last_event_id", this.lastId);
    const source = new EventSource(`/api/stream?${query}`);
    this.source = source;
    this.heard = Date.now();
    const on = (name, handle) =>
      source.addEventListener(name, (event) => {
        if (event.lastEventId) this.lastId = event.lastEventId;
        this.heard = Date.now();
        handle(JSON.parse(event.data));
      });
    on("hello", (data) => {
      this.pause = FIRST_PAUSE_MS;
      this.handlers.state("live");
      this.handlers.begun(data.resumed);
    });
    on("heartbeat", () => {});
    on("status", (data) => this.handlers.state(data.mongodb === "ok" ? "live" : "down"));
    on("reset", () => {
      this.lastId = null;
      this.handlers.reset();
    });
    on("dropped", () => this.#again());
    for (const name of DATA_EVENTS) on(name, (data) => this.#collect(name, data));
    source.onerror = () => {
      this.handlers.state("waiting");
      // A browser gives up after an answer that is no stream, and tries an old address otherwise.
      this.#again();
    };
  }

  #again() {
    this.source.close();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#connect(), this.pause);
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE_MS);
  }

  #checkSilence() {
    if (Date.now() - this.heard < SILENCE_MS) return;
    this.handlers.state("waiting");
    this.#connect();
  }

  #collect(name, data) {
    this.waiting.push({ name, data });
    // A page in the background gets no frames; what waits there must not grow without end.
    if (document.hidden && this.waiting.length > 5000) this.#hand();
    this.frame ??= requestAnimationFrame(() => this.#hand());
  }

  #hand() {
    if (this.frame !== null) cancelAnimationFrame(this.frame);
    this.frame = null;
    const events = this.waiting;
    this.waiting = [];
    this.handlers.events(events);
  }
}
