import { h, settings } from "./dom.js";
import { captchaField, field } from "./field.js";
import { messageFor } from "./messages.js";

/** The look-up by telephone number, access line or UPRN; the replica knows UPRNs only. */
export function lineForm(app) {
  const error = h("div", { class: "errormessage", role: "alert" });
  const form = h(
    "form",
    { autocomplete: "off", novalidate: true, onsubmit: onSubmit, onreset: () => (error.textContent = "") },
    field("Telephone Number", { id: "telePhoneNumber", name: "telePhoneNumber", maxlength: 11 }),
    field("Access Line ID", { id: "accessLineId", name: "accessLineId", maxlength: 15 }),
    field("UPRN", { id: "uprnId", name: "uprnId", maxlength: 12 }),
    app.face === "public" && settings.captcha
      ? captchaField(settings.captchaAnswer, "CaptchaCanvas", "userCaptcha")
      : null,
    error,
    h(
      "div",
      { class: "buttons" },
      h("button", { id: "BtnsPublicGUi", type: "submit" }, "Submit"),
      h("button", { id: "BtnsPublicGuiTwo", type: "reset", class: "quiet" }, "Reset"),
    ),
  );
  return h(
    "section",
    { class: "panel" },
    h("h2", {}, "DN/ALID/UPRN Checker"),
    h("p", {}, "Enter one of the three."),
    form,
  );

  async function onSubmit(event) {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(form));
    error.textContent = problemWith(values);
    if (error.textContent !== "") return;
    const rest = app.receive(await app.ask("line-search", values), true);
    if (rest.errorId !== undefined) error.textContent = messageFor(rest.errorId);
  }
}

function problemWith({ telePhoneNumber, accessLineId, uprnId, userCaptcha }) {
  if (userCaptcha === "") return "Please enter Captcha";
  if (userCaptcha !== undefined && userCaptcha !== settings.captchaAnswer) return "Please enter correct captcha code";
  if (uprnId !== "") return "";
  if (telePhoneNumber !== "" && !/^0\d{9,10}$/.test(telePhoneNumber)) return "This is not a valid telephone number.";
  if (telePhoneNumber !== "") return "We hold no data for this number. New numbers appear after about 24 hours.";
  return accessLineId === "" ? "Please fill in one of the fields." : "This access line ID is not known.";
}
