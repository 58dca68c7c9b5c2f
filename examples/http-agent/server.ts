import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

interface Product {
  readonly name: string;
  readonly price_eur: number;
  readonly in_stock: boolean;
}

const products: ReadonlyMap<string, Product> = new Map([
  ["A-100", { name: "Desk lamp", price_eur: 39.9, in_stock: true }],
  ["A-204", { name: 'Monitor arm 24" & 27"', price_eur: 84, in_stock: false }],
  ["B/12", { name: "Café table", price_eur: 120.5, in_stock: true }],
  ["C 7", { name: "Office chair", price_eur: 249, in_stock: true }],
]);

/** A product service: `GET /products/{sku}`. The first call for A-204 is answered 503, as a busy service does. */
export function createProductServer(): Server {
  let busy = true;
  return createServer((request, response) => {
    const sku = decodeURIComponent(/^\/products\/([^/?]+)$/.exec(request.url ?? "")?.[1] ?? "");
    const product = products.get(sku);
    response.setHeader("content-type", "application/json");
    if (sku === "A-204" && busy) {
      busy = false;
      response.writeHead(503, { "retry-after": "0" }).end('{"error":"busy"}');
    } else if (product === undefined) {
      response.writeHead(404).end('{"found":false}');
    } else {
      response.end(JSON.stringify({ found: true, ...product }));
    }
  });
}

if (import.meta.main) {
  const server = createProductServer().listen(Number(process.argv[2] ?? 4010), "127.0.0.1");
  await once(server, "listening");
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/products/A-100`);
}
