import { html, type Channel } from "./channel.ts";

const style = (id: string, rule: (url: string) => string, reach?: Channel["reach"]): Channel =>
  html(id, ({ at }) => `<style>${rule(at("png"))}</style><p class="a">text<ul><li>item</ul>`, reach);

const inTab = (channel: Channel): Channel => ({ ...channel, inTab: true });

/** What a document asks for by being shown. */
export const markupChannels: readonly Channel[] = [
  html("img", ({ at }) => `<img src="${at("png")}">`),
  html("img-srcset", ({ at }) => `<img srcset="${at("png")} 1x">`),
  html("picture", ({ at }) => `<picture><source srcset="${at("png")}"><img></picture>`),
  html("input-image", ({ at }) => `<input type="image" src="${at("png")}">`),
  html("body-background", ({ at }) => `<body background="${at("png")}">text`),
  html("video", ({ at }) => `<video src="${at("mp4")}" autoplay muted></video>`),
  html("video-source", ({ at }) => `<video autoplay muted><source src="${at("mp4")}" type="video/mp4"></video>`),
  html("video-poster", ({ at }) => `<video poster="${at("png")}"></video>`),
  html("audio", ({ at }) => `<audio src="${at("mp3")}" preload="auto"></audio>`),
  html(
    "track",
    ({ at }) => `<video crossorigin src="/own.mp4"><track default kind="captions" src="${at("vtt")}"></video>`,
  ),
  html("script", ({ at }) => `<script src="${at("js")}"></script>`),
  html("script-module", ({ at }) => `<script type="module" src="${at("js")}"></script>`),
  html("script-import", ({ at }) => `<script type="module">import "${at("js")}";</script>`),
  html(
    "import-map",
    ({ at }) =>
      `<script type="importmap">{"imports":{"x":"${at("js")}"}}</script><script type="module">import "x";</script>`,
  ),
  html("stylesheet", ({ at }) => `<link rel="stylesheet" href="${at("css")}">`),
  html("stylesheet-alternate", ({ at }) => `<link rel="alternate stylesheet" title="a" href="${at("css")}">`),
  html("css-import", ({ at }) => `<style>@import url("${at("css")}");</style>`),
  style("css-background", (url) => `.a { background: url("${url}") }`),
  style("css-image-set", (url) => `.a { background: image-set(url("${url}") 1x) }`),
  style("css-border-image", (url) => `.a { border: 5px solid; border-image: url("${url}") 5 }`),
  style("css-content", (url) => `.a::before { content: url("${url}") }`),
  style("css-list-style", (url) => `li { list-style-image: url("${url}") }`),
  style("css-mask", (url) => `.a { mask-image: url("${url}") }`),
  style("css-shape", (url) => `.a { float: left; shape-outside: url("${url}") }`),
  style("css-filter", (url) => `.a { filter: url("${url}#f") }`, "none"),
  style("css-cursor", (url) => `* { cursor: url("${url}"), auto }`),
  html(
    "font",
    ({ at }) => `<style>@font-face { font-family: f; src: url("${at("woff2")}") } p { font-family: f }</style><p>text`,
  ),
  html("svg-image", ({ at }) => `<svg><image href="${at("png")}" width="9" height="9"/></svg>`),
  html(
    "svg-fe-image",
    ({ at }) =>
      `<svg><filter id="f"><feImage href="${at("png")}"/></filter><rect width="9" height="9" filter="url(#f)"/></svg>`,
  ),
  html("svg-use", ({ at }) => `<svg><use href="${at("svg")}#a"/></svg>`, "none"),
  html("svg-script", ({ at }) => `<svg><script href="${at("js")}"/></svg>`),
  html("iframe", ({ at }) => `<iframe src="${at("html")}"></iframe>`),
  html("iframe-srcdoc", ({ at }) => `<iframe srcdoc="<img src='${at("png")}'>"></iframe>`),
  html("iframe-data", ({ at }) => `<iframe src="data:text/html,<img src='${at("png")}'>"></iframe>`),
  html("frameset", ({ at }) => `<html><frameset cols="50%,50%"><frame src="${at("html")}"></frameset></html>`),
  html("object", ({ at }) => `<object data="${at("html")}" type="text/html"></object>`),
  html("embed", ({ at }) => `<embed src="${at("html")}" type="text/html">`),
  inTab(html("icon", ({ at }) => `<link rel="icon" href="${at("png")}">`, "none")),
  inTab(html("manifest", ({ at }) => `<link rel="manifest" href="${at("json")}">`, "none")),
  html("preload", ({ at }) => `<link rel="preload" as="image" href="${at("png")}">`),
  html("module-preload", ({ at }) => `<link rel="modulepreload" href="${at("js")}">`),
  html("prefetch", ({ at }) => `<link rel="prefetch" href="${at("html")}">`),
  inTab(html("preconnect", ({ bare }) => `<link rel="preconnect" href="http://${bare}">`, "none")),
  inTab(html("dns-prefetch", ({ hostname }) => `<link rel="dns-prefetch" href="//${hostname}.example">`, "none")),
  html("compression-dictionary", ({ at }) => `<link rel="compression-dictionary" href="${at("txt")}">`),
  inTab(
    html(
      "speculation-prefetch",
      ({ at }) =>
        `<script type="speculationrules">{"prefetch":[{"urls":["${at("html")}"],"eagerness":"immediate"}]}</script>`,
      "direct",
    ),
  ),
  inTab(
    html(
      "speculation-prerender",
      ({ at }) =>
        `<script type="speculationrules">{"prerender":[{"urls":["${at("html")}"],"eagerness":"immediate"}]}</script>`,
      "direct",
    ),
  ),
  {
    ...inTab(html("speculation-header", () => "text")),
    headers: ({ at }) => ({ "Speculation-Rules": `"${at("json")}"` }),
  },
  { ...html("link-header", () => "text"), headers: ({ at }) => ({ Link: `<${at("png")}>; rel=preload; as=image` }) },
  { ...html("refresh-header", () => "text"), headers: ({ at }) => ({ Refresh: `0; url=${at("html")}` }) },
  html("refresh-meta", ({ at }) => `<meta http-equiv="refresh" content="0; url=${at("html")}">`),
  {
    ...html("csp-report-uri", () => `<img src="/own.png">`),
    headers: ({ url }) => ({ "Content-Security-Policy": `img-src 'none'; report-uri ${url}` }),
  },
  {
    ...html("csp-report-to", () => `<img src="/own.png">`, "none"),
    headers: ({ url }) => ({
      "Content-Security-Policy": "img-src 'none'; report-to to",
      "Reporting-Endpoints": `to="${url}"`,
    }),
  },
  {
    ...html("network-error-logging", () => `<img src="/none.png">`, "none"),
    headers: ({ url }) => ({
      "Report-To": JSON.stringify({ group: "g", max_age: 60, endpoints: [{ url }] }),
      NEL: JSON.stringify({ report_to: "g", max_age: 60, success_fraction: 1 }),
    }),
  },
  html("attribution-source", ({ at }) => `<img attributionsrc="${at("png")}" src="/own.png">`, "none"),
  html(
    "xslt",
    ({ at }) =>
      `<iframe src="/document.xml?text=${encodeURIComponent(`<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="${at("xsl")}"?><a/>`)}"></iframe>`,
    "none",
  ),
  html(
    "xml-stylesheet",
    ({ at }) =>
      `<iframe src="/document.xml?text=${encodeURIComponent(`<?xml version="1.0"?><?xml-stylesheet type="text/css" href="${at("css")}"?><a/>`)}"></iframe>`,
  ),
  html(
    "xml-entity",
    ({ at }) =>
      `<iframe src="/document.xml?text=${encodeURIComponent(`<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e SYSTEM "${at("txt")}">]><a>&e;</a>`)}"></iframe>`,
    "none",
  ),
];
