import { refresh } from "./refresh.js";

// Lists with something that is going are brought up to date while somebody looks at them.
for (const part of document.querySelectorAll("[data-live-every]")) {
  setInterval(() => {
    if (document.visibilityState === "visible") void refresh().catch(() => {});
  }, Number(part.dataset.liveEvery));
}
