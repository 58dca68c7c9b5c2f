import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A tiny site: a form, a list of addresses, a table of results. */
export interface FlowSite {
  readonly origin: string;
  close(): Promise<void>;
}

/** Addresses that the site lists for every postcode. */
export const addresses: readonly string[] = Array.from(
  { length: 12 },
  (_, index) => `${index + 1} High Street, Anytown`,
);

/** Starts the site on a free port of the own machine. */
export async function startFlowSite(): Promise<FlowSite> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://site");
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(pageFor(url));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function pageFor(url: URL): string {
  if (url.pathname === "/addresses") {
    const postcode = escapeHtml(url.searchParams.get("postcode") ?? "");
    const options = addresses
      .map((address, index) => `<option value="${index}">${address}, ${postcode}</option>`)
      .join("");
    return page(
      "Choose an address",
      `<form action="/result"><input type="hidden" name="postcode" value="${postcode}">
       <label for="address">Address</label> <select id="address" name="address"><option value="">Please choose</option>${options}</select>
       <button>Show result</button></form>`,
    );
  }
  if (url.pathname === "/result") {
    const postcode = escapeHtml(url.searchParams.get("postcode") ?? "");
    const number = Number(url.searchParams.get("address")) + 1;
    const rows = ["VDSL Range A", "VDSL Range B", "ADSL 2+", "ADSL", "Fixed rate"].map(
      (name, index) =>
        `<tr><th scope="row">${name}</th><td>${80 - 10 * index}</td><td>${20 - index}</td><td>Available</td></tr>`,
    );
    return page(
      "Result",
      `<p>Exchange: <span id="exchange">ANYTOWN ${number}</span></p><p>For ${postcode}</p>
       <table><thead><tr><th>Product</th><th>Downstream</th><th>Upstream</th><th>Availability</th></tr></thead><tbody>${rows.join("")}</tbody></table>`,
    );
  }
  return page(
    "Find an address",
    `<form action="/addresses"><label for="postcode">Postcode</label> <input id="postcode" name="postcode"> <button>Find</button></form>`,
  );
}

function page(title: string, body: string): string {
  const style =
    "body{font-family:sans-serif;margin:2em}td,th{border:1px solid #999;padding:.3em .8em}table{border-collapse:collapse}";
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title><style>${style}</style></head><body><h1>${title}</h1>${body}</body></html>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
