/**
 * Builds an element. Text goes in as text, never as markup, so that hostile names stay harmless.
 *
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes] names starting with "on" are listeners; false and undefined leave one out
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** The settings that the server wrote into the page. */
export const settings = JSON.parse(document.querySelector("#settings").textContent);

/** The original name, or another one when the layout is changed on purpose. */
export function nameIn(layout, original) {
  return layout === "changed" ? `next-${original.trim().toLowerCase()}` : original;
}

/** Covers the page with the cookie banner; it is gone once either button was pressed. */
export function showCookieBanner() {
  if (document.querySelector("#cookie-banner") !== null) return;
  const close = () => {
    document.cookie = "cookie_choice=made; path=/; SameSite=Lax";
    banner.remove();
  };
  const banner = h(
    "div",
    { id: "cookie-banner", role: "dialog", "aria-label": "Cookies" },
    h(
      "div",
      { class: "panel" },
      h("p", {}, "This test site keeps one cookie, to remember your answer here."),
      h("button", { type: "button", onclick: close }, "Accept all cookies"),
      h("button", { type: "button", class: "quiet", onclick: close }, "Reject all cookies"),
    ),
  );
  document.body.append(banner);
}

/** Shows the banner on a first visit. */
export function greetFirstVisit() {
  if (settings.cookieBanner && !document.cookie.includes("cookie_choice=")) showCookieBanner();
}
