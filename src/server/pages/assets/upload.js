// Takes a file besides the path that the form takes without scripts, and shows how much of it has arrived.
const form = /** @type {HTMLFormElement | null} */ (document.getElementById("upload"));
const drop = document.getElementById("drop");
const file = /** @type {HTMLInputElement | null} */ (document.getElementById("file"));
const progress = /** @type {HTMLProgressElement | null} */ (document.getElementById("upload-progress"));
const said = document.getElementById("upload-said");

if (drop !== null) drop.hidden = false;

for (const name of ["dragenter", "dragover"]) {
  drop?.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
for (const name of ["dragleave", "drop"]) drop?.addEventListener(name, () => drop.classList.remove("over"));

drop?.addEventListener("drop", (event) => {
  event.preventDefault();
  const files = event.dataTransfer?.files;
  if (file === null || files === undefined || files.length === 0) return;
  file.files = files;
  say(`${files[0].name} is ready to go.`);
});

form?.addEventListener("submit", (event) => {
  const chosen = file?.files?.[0];
  if (chosen === undefined || progress === null) return;
  event.preventDefault();
  send(form, chosen);
});

/**
 * Only XMLHttpRequest tells how much of an upload has gone.
 *
 * @param {HTMLFormElement} form
 * @param {File} chosen
 */
function send(form, chosen) {
  const request = new XMLHttpRequest();
  request.open("POST", `${form.dataset.uploads}?name=${encodeURIComponent(chosen.name)}`);
  request.setRequestHeader("content-type", "text/csv");
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    progress.value = (100 * loaded) / total;
  });
  request.addEventListener("load", () => {
    const { inputUri, detail, hint } = readAnswer(request.responseText);
    if (typeof inputUri !== "string")
      return stop([detail ?? `The server answered ${request.status}.`, hint].filter(Boolean).join(" "));
    const search = new URLSearchParams({ agent: form.elements.agent.value, input: inputUri, file: chosen.name });
    location.assign(`/new/columns?${search}`);
  });
  request.addEventListener("error", () => stop("The server cannot be reached. Nothing was kept."));
  progress.hidden = false;
  form.querySelector("button").disabled = true;
  say(`Uploading ${chosen.name}…`);
  request.send(chosen);
}

/** @param {string} words */
function stop(words) {
  progress.hidden = true;
  form.querySelector("button").disabled = false;
  say(words);
}

/** @param {string} words */
function say(words) {
  if (said !== null) said.textContent = words;
}

/**
 * @param {string} text
 * @returns {{ inputUri?: string, detail?: string, hint?: string }}
 */
function readAnswer(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
