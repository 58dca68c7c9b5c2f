import { html, inScript, script, workerUrl, type Channel, type Goal } from "./channel.ts";

const inWorker = (id: string, code: (goal: Goal) => string, reach?: Channel["reach"]): Channel =>
  script(id, (goal) => `new Worker(${workerUrl(code(goal))});`, reach);
const inModuleWorker = (id: string, code: (goal: Goal) => string): Channel =>
  script(id, (goal) => `new Worker(${workerUrl(code(goal))}, { type: "module" });`);
const inSharedWorker = (id: string, code: (goal: Goal) => string): Channel =>
  script(id, (goal) => `new SharedWorker(${workerUrl(code(goal))});`);
/** As pages know it, and as a page does it that knows that it is taken away. */
const inServiceWorker = (id: string, code: (goal: Goal) => string): Channel =>
  script(
    id,
    (goal) => `
    const url = ${workerUrl(code(goal))};
    await navigator.serviceWorker.register(url, { scope: "/" + ${JSON.stringify(id)} });`,
    "direct",
  );

const redirects: readonly Channel[] = [301, 302, 303, 307, 308].map((status) =>
  script(`redirect-fetch-${status}`, ({ redirect }) => `await fetch(${JSON.stringify(redirect(status))});`),
);

/** What scripts ask for, and where they lead the page. */
export const scriptChannels: readonly Channel[] = [
  script("fetch", ({ url }) => `await fetch("${url}");`),
  script("fetch-no-cors", ({ url }) => `await fetch("${url}", { mode: "no-cors" });`),
  script(
    "fetch-post",
    ({ url }) => `await fetch("${url}", { method: "POST", body: "secret", headers: { "x-a": "b" } });`,
  ),
  script("fetch-keepalive", ({ url }) => `await fetch("${url}", { keepalive: true });`),
  script("fetch-https", ({ host }) => `await fetch("https://${host}/");`),
  { ...script("fetch-later", ({ url }) => `fetchLater("${url}", { activateAfter: 0 });`), inTab: true },
  script("cache-add", ({ url }) => `await (await caches.open("a")).add("${url}");`),
  script("xhr", ({ url }) => `const x = new XMLHttpRequest(); x.open("GET", "${url}"); x.send();`),
  script("xhr-sync", ({ url }) => `const x = new XMLHttpRequest(); x.open("GET", "${url}", false); x.send();`),
  script("beacon", ({ url }) => `navigator.sendBeacon("${url}", "secret");`),
  script("event-source", ({ at }) => `new EventSource("${at("events")}");`),
  script("dynamic-import", ({ at }) => `await import("${at("js")}");`),
  script("document-write", ({ at }) => `document.write("<img src='${at("png")}'>");`),
  script("new-image", ({ at }) => `new Image().src = "${at("png")}";`),
  script("new-audio", ({ at }) => `new Audio("${at("mp3")}").load();`),
  script("font-face", ({ at }) => `await new FontFace("f", "url(${at("woff2")})").load();`),
  script("audio-worklet", ({ at }) => `await new AudioContext().audioWorklet.addModule("${at("js")}");`),
  script("paint-worklet", ({ at }) => `await CSS.paintWorklet.addModule("${at("js")}");`),
  script("shared-storage-worklet", ({ at }) => `await sharedStorage.worklet.addModule("${at("js")}");`, "none"),
  script(
    "payment-manifest",
    ({ host }) => `
    const request = new PaymentRequest([{ supportedMethods: "https://${host}/pay" }], { total: { label: "a", amount: { currency: "GBP", value: "1" } } });
    await request.canMakePayment();`,
    "none",
  ),
  script(
    "federated-login",
    ({ host }) =>
      `await navigator.credentials.get({ identity: { providers: [{ configURL: "https://${host}/fedcm.json", clientId: "a" }] } });`,
    "direct",
  ),
  script(
    "media-session",
    ({ at }) =>
      `navigator.mediaSession.metadata = new MediaMetadata({ title: "a", artwork: [{ src: "${at("png")}" }] });`,
    "none",
  ),

  ...redirects,
  html("redirect-img", ({ redirect }) => `<img src="${redirect(302, "png")}">`),
  html("redirect-script", ({ redirect }) => `<script src="${redirect(307, "js")}"></script>`),
  html("redirect-stylesheet", ({ redirect }) => `<link rel="stylesheet" href="${redirect(302, "css")}">`),
  html("redirect-iframe", ({ redirect }) => `<iframe src="${redirect(302, "html")}"></iframe>`),
  html("redirect-video", ({ redirect }) => `<video autoplay muted src="${redirect(302, "mp4")}"></video>`),
  script("redirect-event-source", ({ redirect }) => `new EventSource("${redirect(302, "events")}");`),
  script("redirect-beacon", ({ redirect }) => `navigator.sendBeacon("${redirect(307)}", "secret");`),
  script("redirect-worker", ({ redirect }) => `new Worker("${redirect(302, "js")}");`, "none"),
  inWorker("redirect-in-worker", ({ redirect }) => `fetch("${redirect(302)}");`),
  inWorker("redirect-import-scripts", ({ redirect }) => `importScripts("${redirect(302, "js")}");`),

  inWorker("worker-fetch", ({ url }) => `fetch("${url}");`),
  inWorker("worker-xhr", ({ url }) => `const x = new XMLHttpRequest(); x.open("GET", "${url}", false); x.send();`),
  inWorker("worker-import-scripts", ({ at }) => `importScripts("${at("js")}");`),
  inWorker("worker-event-source", ({ at }) => `new EventSource("${at("events")}");`),
  inModuleWorker("worker-import", ({ at }) => `import "${at("js")}";`),
  inModuleWorker("worker-dynamic-import", ({ at }) => `await import("${at("js")}");`),
  inWorker("worker-nested", ({ url }) => `new Worker(${workerUrl(`fetch("${url}");`)});`),
  script("worker-blob", ({ url }) => `new Worker(URL.createObjectURL(new Blob(['fetch("${url}")'])));`),
  inSharedWorker("shared-worker-fetch", ({ url }) => `fetch("${url}");`),
  inSharedWorker("shared-worker-import-scripts", ({ at }) => `importScripts("${at("js")}");`),
  inServiceWorker("service-worker-fetch", ({ url }) => `fetch("${url}");`),
  inServiceWorker("service-worker-import-scripts", ({ at }) => `importScripts("${at("js")}");`),

  html(
    "form-get",
    ({ at }) =>
      `<form action="${at("html")}"><input name="a" value="secret"></form>${inScript("document.forms[0].submit();")}`,
  ),
  html(
    "form-post",
    ({ at }) =>
      `<form method="post" action="${at("html")}"><input name="a" value="secret"></form>${inScript("document.forms[0].submit();")}`,
  ),
  script("location", ({ at }) => `location.href = "${at("html")}";`),
  script("navigation-api", ({ at }) => `navigation.navigate("${at("html")}");`),
  script("window-open", ({ at }) => `open("${at("html")}");`),
  html(
    "link-blank",
    ({ at }) => `<a target="_blank" rel="noopener" href="${at("html")}">a</a>${inScript("document.links[0].click();")}`,
  ),
  html("link-download", ({ at }) => `<a download href="${at("bin")}">a</a>${inScript("document.links[0].click();")}`),
  html("link-ping", ({ url }) => `<a href="#a" ping="${url}">a</a>${inScript("document.links[0].click();")}`),
];
