import { refresh } from "./refresh.js";

/**
 * Sends forms marked `data-action` without leaving the page, and says what came of it. The server's answer is the page that the
 * browser would have gone to; its notice is shown here.
 */
export function handleActions() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.matches("[data-action]")) return;
    event.preventDefault();
    void send(form, event.submitter);
  });
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} button
 */
async function send(form, button) {
  if (form.getAttribute("aria-busy") === "true") return;
  form.setAttribute("aria-busy", "true");
  button?.setAttribute("aria-disabled", "true");
  try {
    const response = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      headers: { accept: "text/html" },
    });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const notice = page.querySelector(".notice");
    if (notice !== null) show(notice);
    else if (!response.ok)
      showText(page.querySelector("main p")?.textContent ?? `The server answered ${response.status}`);
  } catch {
    showText("The server cannot be reached. Nothing was changed.");
  } finally {
    form.removeAttribute("aria-busy");
    button?.removeAttribute("aria-disabled");
    if (button !== null && document.activeElement === button) button.blur();
    if (form.contains(document.activeElement)) document.activeElement.blur();
    await refresh().catch(() => {});
  }
}

/** @param {Element} notice */
function show(notice) {
  document.querySelector("[data-notice]")?.replaceChildren(document.importNode(notice, true));
}

/** @param {string} text */
function showText(text) {
  const notice = document.createElement("div");
  notice.className = "notice bad";
  notice.setAttribute("role", "alert");
  notice.append(Object.assign(document.createElement("p"), { textContent: text }));
  show(notice);
}
