import { createServer, type Server } from "node:net";
import { createInterface } from "node:readline";

const prices: Readonly<Record<string, number>> = { "A-100": 39.9, "A-204": 84, "B/12": 120.5 };

/** A price service: it reads a line such as `{"sku":"A-100"}`, answers with JSON, and hangs up. */
export function createPriceServer(): Server {
  return createServer((socket) => {
    socket.on("error", () => {});
    createInterface({ input: socket }).once("line", (line) => {
      const { sku } = JSON.parse(line) as { readonly sku: string };
      const price = prices[sku];
      socket.end(JSON.stringify(price === undefined ? { error: `no price for ${sku}` } : { price_eur: price }));
    });
  });
}
