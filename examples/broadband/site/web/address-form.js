import { h, nameIn, settings } from "./dom.js";
import { captchaField, field, numberField } from "./field.js";
import { messageFor } from "./messages.js";

const limits = { buildingNumber: 6, buildingName: 28, streetOrRoad: 56, town: 28, postCode: 8 };
const postcodeShape = /^[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}$/i;

/** The form "By Address". The ids are the checker's own, trailing spaces and misspelling included. */
export function addressForm(app) {
  const id = (original) => nameIn(settings.layout, original);
  const error = h("div", { class: "errormessage", role: "alert" });
  const captchaPlace = h("div", { class: "captcha-place" });
  const submit = h("button", { id: id("BtnsAdrdressHome"), type: "submit" }, "Submit");
  const form = h(
    "form",
    { autocomplete: "off", novalidate: true, onsubmit: onSubmit },
    numberField("Building Number", { id: id("BuildingNo "), name: "buildingNumber" }),
    field("Building Name", { id: id("buildingName"), name: "buildingName" }),
    field("Street/Road", { id: id("street "), name: "streetOrRoad" }),
    field("Town", { id: id("town "), name: "town" }),
    field("PostCode *", { id: id("postCode"), name: "postCode" }),
    captchaPlace,
    error,
    submit,
  );
  if (app.face === "public" && settings.captcha) showCaptcha();

  return h(
    "section",
    { class: "panel" },
    h(
      "ul",
      { class: "nav nav-tabs" },
      h("li", { class: "active" }, h("a", { href: "#home", onclick: (event) => event.preventDefault() }, "By Address")),
    ),
    h(
      "p",
      {},
      "Welcome to the replica of the address checker. It tells which broadband products a home or business can order.",
    ),
    h("p", {}, "Fill in as much of the address as you know, then press Submit. Fields marked with * are mandatory."),
    form,
  );

  function showCaptcha() {
    captchaPlace.replaceChildren(captchaField(settings.captchaAnswer, "CaptchaCanvasAddress", "userCaptcha1"));
  }

  async function onSubmit(event) {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(form));
    error.textContent = problemWith(values);
    if (error.textContent !== "") return;
    enable(false);
    const rest = app.receive(await app.ask("address-search", values));
    enable(true);
    if (rest.captcha !== undefined) {
      showCaptcha();
      error.textContent = rest.captcha === "missing" ? "Please enter Captcha" : "Please enter correct captcha code";
    } else if (rest.errorId !== undefined) {
      error.textContent = messageFor(rest.errorId);
    }
  }

  function enable(yes) {
    for (const control of form.elements) control.disabled = !yes;
  }

  function problemWith(values) {
    const tooLong = Object.entries(limits).find(([name, limit]) => values[name].length > limit);
    if (tooLong !== undefined)
      return `Please use at most ${tooLong[1]} ${tooLong[0] === "buildingNumber" ? "digits" : "characters"} for ${tooLong[0]}`;
    if (values.postCode === "") return "Please enter the PostCode";
    return postcodeShape.test(values.postCode) ? "" : "Please enter a valid PostCode";
  }
}
