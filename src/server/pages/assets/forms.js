// What every page does when scripts run: times in the reader's zone, forms that say what they are doing.

for (const element of document.querySelectorAll("time")) localTime(element);

document.addEventListener("change", (event) => {
  const { target } = event;
  if (target instanceof HTMLSelectElement && target.matches("[data-submit]")) target.form?.requestSubmit();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  const words = form instanceof HTMLFormElement ? form.dataset.busy : undefined;
  if (words === undefined || event.defaultPrevented) return;
  const button = form.querySelector("button");
  if (button === null) return;
  button.textContent = words;
  // Disabled at once, the button's value would not be sent.
  setTimeout(() => (button.disabled = true));
});

// A page that the browser kept is shown again as it was left: a busy button must not stay busy.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

/**
 * Shows a moment in the reader's time zone.
 *
 * @param {HTMLTimeElement} element
 */
export function localTime(element) {
  const at = new Date(element.dateTime);
  element.title = element.textContent ?? "";
  element.textContent = at.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
}
