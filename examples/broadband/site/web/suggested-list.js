import { h } from "./dom.js";
import { messageFor } from "./messages.js";

/** The list to choose from; Submit wakes up with the browser's own `change` event and nothing else. */
export function suggestedList(app, addresses) {
  const error = h("div", { class: "errormessage", role: "alert" });
  const submit = h("button", { id: "Btnss", type: "submit", disabled: true }, "Submit");
  const select = h(
    "select",
    { class: "custom-select", size: 10, onchange: () => (submit.disabled = false) },
    h("option", { value: "", selected: true }, "Please select your address from the list below."),
    ...addresses.map(({ refNumber, text, location }) =>
      h("option", { id: "opt", class: "optionclass", value: refNumber, title: location }, text),
    ),
  );
  return h(
    "div",
    { class: "Suggestedcard panel" },
    h("p", {}, "Welcome to the list of suggested addresses."),
    h(
      "p",
      {},
      "There is no exact match for what was entered. Select the address that is meant, or go back and amend the search.",
    ),
    h(
      "form",
      { onsubmit: onSubmit },
      h("div", { id: "dropDown" }, select),
      error,
      h(
        "div",
        { class: "buttons" },
        h("button", { id: "Btnss", type: "button", class: "quiet", onclick: () => app.startOver() }, "Back"),
        submit,
      ),
    ),
  );

  async function onSubmit(event) {
    event.preventDefault();
    error.textContent = select.value === "" ? "Please select an address." : "";
    if (select.value === "") return;
    submit.disabled = true;
    const rest = app.receive(await app.ask("address-select", { refNumber: select.value }));
    submit.disabled = false;
    if (rest.errorId !== undefined) error.textContent = messageFor(rest.errorId);
  }
}
