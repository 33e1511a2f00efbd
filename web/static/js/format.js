// Numbers and times as people read them, in their language and zone.

const priceFormats = new Map();
const compact = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });
const MINUS = "−";

function digits(value, count, least = Math.min(2, count)) {
  // Small numbers have more decimals, as far as they are needed.
  const key = `${least} ${count}`;
  let format = priceFormats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(undefined, {
      minimumFractionDigits: least,
      maximumFractionDigits: count,
    });
    priceFormats.set(key, format);
  }
  return format.format(value).replace("-", MINUS);
}

/** Return how many decimals a price of this size is shown with: below 1, four digits that count. */
export function decimalsOf(value) {
  const size = Math.abs(value);
  if (!(size > 0 && size < 1)) return 2;
  return Math.min(12, 3 - Math.floor(Math.log10(size)));
}

/** Return a number with exactly so many decimals, as those beside it have. */
export const fixed = (value, count) => (value == null ? "–" : digits(value, count, count));

/** Return a price; an em dash without one. */
export const price = (value) => (value == null ? "–" : digits(value, decimalsOf(value)));

/** Return a number with its sign. */
export const signed = (value, count = 2) =>
  value == null ? "–" : (value > 0 ? "+" : "") + digits(value, count);

/** Return a change in percent with its sign. */
export const percent = (value) => (value == null ? "–" : `${signed(value)}%`);

/** Return a large number, shortened: 1.2M. */
export const volume = (value) => (value == null ? "–" : large(value));

const large = (value) => compact.format(value).replace("-", MINUS);

/** Return any value, shortened where it is large. */
export function plain(value) {
  if (value == null) return "–";
  return Math.abs(value) >= 1e5 ? large(value) : digits(value, decimalsOf(value));
}

/** Return a function that writes values of up to this size alike: for the lines of one pane. */
export function figuresOf(size) {
  if (size >= 1e5) return (value) => (value == null ? "–" : large(value));
  const count = decimalsOf(size);
  return (value) => fixed(value, count);
}

/** Return the class for a number's direction. */
export const direction = (value) => (value > 0 ? "up" : value < 0 ? "down" : "muted");

/** Return the length of an interval in seconds: a day for 1d. */
export function seconds(interval) {
  const [, number, unit] = /^(\d+)([a-z]+)$/.exec(interval) ?? [0, 1, "d"];
  const units = { s: 1, m: 60, h: 3600, d: 86400, wk: 604800, mo: 2592000 };
  return Number(number) * units[unit];
}

/** Return whether bars of an interval name a date rather than a moment. */
export const isDaily = (interval) => seconds(interval) >= 86400;

const formats = new Map();

/** Return a moment in ms, formatted; a zone may be given. */
export function moment(ms, options, zone, language = undefined) {
  const key = JSON.stringify([options, zone, language]);
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(language, { ...options, timeZone: zone });
    formats.set(key, format);
  }
  return format.format(ms);
}

const DATE = { day: "numeric", month: "short", year: "numeric" };
const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

/** Return a date; of daily bars it is the date that they name. */
export const date = (ms, zone) => moment(ms, DATE, zone);

/** Return the time of day; in the user's language unless another is given. */
export const clock = (ms, zone, language) => moment(ms, CLOCK, zone, language);

/** Return date and time in the user's zone. */
export const dateAndTime = (ms) => `${date(ms)} ${clock(ms)}`;

/** Return how long ago something was: "3 min. ago"; the date when it was long ago. */
export function ago(ms, now = Date.now()) {
  const passed = (ms - now) / 1000;
  if (Math.abs(passed) < 60) return relative.format(Math.round(passed), "second");
  if (Math.abs(passed) < 3600) return relative.format(Math.round(passed / 60), "minute");
  if (Math.abs(passed) < 86400) return relative.format(Math.round(passed / 3600), "hour");
  if (Math.abs(passed) < 7 * 86400) return relative.format(Math.round(passed / 86400), "day");
  return date(ms);
}
