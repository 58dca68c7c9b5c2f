import { h } from "./dom.js";

/** Blue bar and navigation; its links do nothing while an answer is awaited. */
export function header(current) {
  const isAddress = current.startsWith("/ADSL/Address");
  return h(
    "header",
    { class: "topbar" },
    h("h1", {}, "Broadband Availability Checker"),
    h(
      "nav",
      {},
      h(
        "button",
        {
          class: "navbar-toggler quiet",
          type: "button",
          "data-target": "#navbarNav",
          "aria-label": "Toggle navigation",
          onclick: toggle,
        },
        "☰",
      ),
      h(
        "div",
        { id: "navbarNav" },
        h(
          "a",
          { id: "dnNav", href: "#/ADSL", class: isAddress ? "" : "active", onclick: onlyWhenIdle },
          "DN/ALID/UPRN Checker",
        ),
        h(
          "a",
          { id: "addressNav", href: "#/ADSL/Address", class: isAddress ? "active" : "", onclick: onlyWhenIdle },
          "Address Checker",
        ),
      ),
    ),
  );
}

/** The line below every page. */
export function footer(face, current) {
  const isList = current.endsWith("SuggestedList");
  return h(
    "footer",
    {},
    current.endsWith("AddressHome") && h("p", {}, "A postcode alone brings up all premises that share it."),
    isList && h("p", {}, "Nothing suitable? Try the ", h("a", { href: "#/ADSL" }, "Telephone Number Checker"), "."),
    h("a", { href: "/terms-of-use", target: "_blank", rel: "noopener" }, "Terms of Use"),
    h("span", {}, face === "totl" ? "Logged-in face of the replica" : "Public face of the replica"),
  );
}

/** The warning in front of the address form. */
export function warning(app) {
  return h(
    "div",
    { id: "ModalCenter", class: "panel modal", role: "dialog", "aria-label": "Warning" },
    h("h2", { class: "modal-title" }, "Warning"),
    h(
      "p",
      {},
      "For products on a copper line a look-up by telephone number is more exact than one by address. For fibre to the premises, the address is best.",
    ),
    h(
      "div",
      { class: "buttons" },
      h("button", { id: "BtnsAddressOne", type: "button", class: "quiet", onclick: () => app.go("/ADSL") }, "Back"),
      h("button", { id: "BtnsAddressTwo", type: "button", onclick: () => app.startOver() }, "Proceed"),
    ),
  );
}

/** What an unknown hash shows. */
export function notFound() {
  return h(
    "div",
    { class: "panel" },
    h("h2", {}, "Error 404 - Page Not Found"),
    h("p", {}, "The checker has no such page."),
  );
}

function toggle() {
  document.querySelector("#navbarNav").classList.toggle("open");
}

function onlyWhenIdle(event) {
  if (document.querySelector(".spinner") !== null) event.preventDefault();
}
