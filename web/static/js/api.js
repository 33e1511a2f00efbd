// Asking the worker.

/** What the API says is wrong: field, value, reason, remedy. */
export class ApiError extends Error {
  constructor(status, error) {
    super(error.reason);
    this.status = status;
    this.remedy = error.remedy;
  }
}

/**
 * Return an answer of the API.
 * @param {string} path - such as "/api/tickers".
 * @param {object} parameters - those without a value are left out.
 * @param {AbortSignal} [signal]
 * @throws {ApiError} where the API refuses; TypeError where nobody answers.
 */
export async function ask(path, parameters = {}, signal = undefined) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value != null && value !== "") query.set(name, value);
  }
  const text = query.toString();
  const response = await fetch(text ? `${path}?${text}` : path, {
    headers: { Accept: "application/json" },
    signal,
  });
  if (response.status === 401) {
    location.assign(`/login?next=${encodeURIComponent(location.pathname + location.hash)}`);
  }
  const content = await response.json();
  if (!response.ok) throw new ApiError(response.status, content.error);
  return content;
}

/** Return the path of something about a ticker. */
export const about = (ticker, what = "") =>
  `/api/tickers/${encodeURIComponent(ticker)}${what ? `/${what}` : ""}`;
