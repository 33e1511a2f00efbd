// How indicators are drawn: over the prices, or in a pane of their own.

/** By name: its label, its outputs with their kinds, and for panes the levels to mark. */
export const CATALOG = {
  sma: { label: "SMA", outputs: ["sma"], over: true },
  ema: { label: "EMA", outputs: ["ema"], over: true },
  vwap: { label: "VWAP", outputs: ["vwap"], over: true },
  bollinger: {
    label: "Bollinger",
    outputs: ["bollinger_upper", "bollinger_middle", "bollinger_lower"],
    over: true,
    oneColour: true,
  },
  rsi: { label: "RSI", outputs: ["rsi"], levels: [30, 70] },
  macd: { label: "MACD", outputs: ["macd_hist", "macd", "macd_signal"], bars: "macd_hist" },
  stochastic: { label: "Stochastic", outputs: ["stochastic_k", "stochastic_d"], levels: [20, 80] },
  adx: { label: "ADX", outputs: ["adx", "plus_di", "minus_di"], levels: [25] },
  atr: { label: "ATR", outputs: ["atr"] },
  cci: { label: "CCI", outputs: ["cci"], levels: [-100, 100] },
  williams_r: { label: "Williams %R", outputs: ["williams_r"], levels: [-80, -20] },
  mfi: { label: "MFI", outputs: ["mfi"], levels: [20, 80] },
  roc: { label: "ROC", outputs: ["roc"], levels: [0] },
  obv: { label: "OBV", outputs: ["obv"] },
};

/** What is shown at bars beside indicators. */
export const MARKS = { news: "News", posts: "Posts" };

const known = new Set(Object.values(CATALOG).flatMap((one) => one.outputs));

/** Return the catalogue for what a ticker has: values of others get panes of their own. */
export function catalogFor(outputs) {
  const has = new Set(outputs);
  const found = Object.entries(CATALOG).filter(([, one]) => one.outputs.some((o) => has.has(o)));
  const others = outputs
    .filter((output) => !known.has(output))
    .map((output) => [output, { label: output, outputs: [output] }]);
  return Object.fromEntries([...found, ...others]);
}
