// Making elements. Text from outside only ever becomes text, never markup.

/** Return the element with this id. */
export const byId = (id) => document.getElementById(id);

/**
 * Return a new element.
 * @param {string} tag - with classes, as in "p.note.muted".
 * @param {object} properties - set on it; `data-*` and `aria-*` become attributes.
 * @param {...(Node|string)} children - strings become text.
 */
export function make(tag, properties = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-") || key === "for" || key === "role") element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children);
  return element;
}

/** Change an element's text, if it is another one. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Make a row of buttons of which one is pressed. Returns a function that presses one. */
export function segments(container, names, onChoose) {
  const buttons = new Map();
  for (const name of names) {
    const button = make("button", { type: "button", "aria-pressed": "false" }, name);
    button.addEventListener("click", () => onChoose(name));
    buttons.set(name, button);
  }
  container.replaceChildren(...buttons.values());
  return (chosen) => {
    for (const [name, button] of buttons) {
      button.setAttribute("aria-pressed", String(name === chosen));
    }
  };
}

/** Return an address from outside if it is one of the web, else null. */
export function safeUrl(text) {
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}
