// What is being looked at: kept in the address and, for what is a habit, in the browser.

export const RANGES = { "1D": 1, "1W": 7, "1M": 30, "3M": 91, "1Y": 365, "5Y": 1826, All: Infinity };

const DEFAULT_INDICATORS = ["ema", "bollinger", "rsi", "macd", "news", "posts"];

function remembered() {
  try {
    const names = JSON.parse(localStorage.getItem("indicators"));
    return Array.isArray(names) ? names.filter((name) => typeof name === "string") : null;
  } catch {
    return null;
  }
}

export const state = {
  ticker: null,
  interval: null,
  // A year of candles is too narrow to see on a phone.
  range: matchMedia("(max-width: 720px)").matches ? "3M" : "1Y",
  indicators: new Set(remembered() ?? DEFAULT_INDICATORS),
};

/** Take ticker, interval and range from the address: #AAPL/1d/1Y. */
export function readAddress() {
  const [ticker, interval, range] = location.hash.slice(1).split("/").map(decodeURIComponent);
  if (/^[A-Z0-9^][A-Z0-9.\-=^&]{0,31}$/.test(ticker ?? "")) state.ticker = ticker;
  if (/^[1-9]\d{0,2}(s|m|h|d|wk|mo)$/.test(interval ?? "")) state.interval = interval;
  if (range in RANGES) state.range = range;
}

/** Put them there. */
export function writeAddress() {
  const parts = [state.ticker, state.interval, state.range].map(encodeURIComponent);
  history.replaceState(null, "", `#${parts.join("/")}`);
}

/** Keep the chosen indicators for next time. */
export function remember() {
  localStorage.setItem("indicators", JSON.stringify([...state.indicators]));
}
