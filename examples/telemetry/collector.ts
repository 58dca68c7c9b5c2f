// A collector for a look: prints the trace of each run as a tree.
// Usage: node examples/telemetry/collector.ts [port]    (default 4318)
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** A span, as far as it is printed. */
interface Span {
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, string | number>> }[];
}

/** What a sender of traces sends; of metrics there are `resourceMetrics` instead. */
interface Sent {
  readonly resourceSpans?: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[];
}

const children = new Map<string, Span[]>();

const server = createServer((request, response) => {
  void text(request).then((body) => {
    const sent = JSON.parse(body) as Sent;
    for (const { scopeSpans } of sent.resourceSpans ?? []) for (const { spans } of scopeSpans) spans.forEach(receive);
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
});

// A run ends last, so what is below it has come already.
function receive(span: Span): void {
  if (span.parentSpanId === undefined) print(span, "");
  else children.set(span.parentSpanId, [...(children.get(span.parentSpanId) ?? []), span]);
}

function print(span: Span, indent: string): void {
  const ms = Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6;
  const attributes = span.attributes
    .filter(({ key }) => indent === "" || key !== "rowcall.run.id")
    .map(({ key, value }) => `${key}=${Object.values(value).join()}`);
  console.log(`${indent}${span.name} ${ms.toFixed(0)} ms ${attributes.join(" ")}`);
  for (const child of children.get(span.spanId) ?? []) print(child, `${indent}  `);
  children.delete(span.spanId);
}

server.listen(Number(process.argv[2] ?? 4318), "127.0.0.1");
await once(server, "listening");
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
