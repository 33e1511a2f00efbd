// Light and dark: the system's choice, until somebody makes another.

const dark = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set();

/** Return whether the page is dark now. */
export function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : dark.matches;
}

/** Switch, and remember it. */
export function toggleTheme() {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  localStorage.setItem("theme", theme);
  listeners.forEach((listener) => listener());
}

/** Have `listener` called when colours change. */
export function onTheme(listener) {
  listeners.add(listener);
}

dark.addEventListener("change", () => listeners.forEach((listener) => listener()));

/** Return the value of a colour variable, such as `colour("up")`. */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Return a colour of the form #rrggbb with an opacity, 0 to 1. */
export function faded(name, opacity) {
  return colour(name) + Math.round(opacity * 255).toString(16).padStart(2, "0");
}
