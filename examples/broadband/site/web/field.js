import { h } from "./dom.js";

/**
 * A field in Material's markup: the label is neither a `label` element nor tied to its input.
 *
 * @param {string} label
 * @param {Record<string, unknown>} attributes of the input
 */
export function field(label, attributes) {
  const input = h("input", { type: "text", class: "mat-input-element", ...attributes });
  return h(
    "mat-form-field",
    { class: "appearance-outline" },
    h(
      "div",
      { class: "mat-form-field-infix" },
      h("span", { class: "mat-form-field-label-wrapper" }, h("mat-label", {}, h("strong", {}, label))),
      input,
    ),
  );
}

/** A digits-only field: anything else that is typed is dropped without a word. */
export function numberField(label, attributes) {
  const onlyDigits = (event) => {
    if (event.data !== null && /\D/.test(event.data ?? "")) event.preventDefault();
  };
  return field(label, { ...attributes, type: "number", min: 0, onbeforeinput: onlyDigits });
}

/** The captcha: a picture of the text and a field for it. */
export function captchaField(text, canvasId, inputId) {
  const canvas = h("canvas", { id: canvasId, width: 150, height: 40 });
  const draw = () => {
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#dfe7e4";
    pen.fillRect(0, 0, 150, 40);
    pen.fillStyle = "#24423d";
    pen.font = "bold 24px monospace";
    [...text].forEach((letter, i) => pen.fillText(letter, 14 + i * 21, 28 + (i % 2 === 0 ? -3 : 4)));
  };
  draw();
  return h(
    "div",
    { class: "captcha" },
    h(
      "div",
      { class: "picture" },
      canvas,
      h("button", { class: "reload quiet", type: "button", "aria-label": "New captcha", onclick: draw }, "↻"),
    ),
    field("Captcha *", { id: inputId, name: inputId, maxlength: 6, autocomplete: "off" }),
  );
}
