import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";

/** A span as it arrived, with its times in milliseconds since 1970. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly isError: boolean;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly events: readonly { readonly name: string; readonly attributes: Readonly<Record<string, string | number>> }[];
}

/** One series of a metric as it arrived last. */
export interface ReceivedPoint {
  readonly attributes: Readonly<Record<string, string | number>>;
  /** Of a histogram, how many values it has. */
  readonly value: number;
}

/** An OpenTelemetry collector that keeps what it is sent as JSON over HTTP. */
export interface Collector {
  readonly url: string;
  /** Everything that was sent, as it was. */
  bodies(): readonly string[];
  /** Headers and path of each request. */
  readonly requests: readonly { readonly path: string; readonly headers: NodeJS.Dict<string | string[]> }[];
  spans(): readonly ReceivedSpan[];
  /** Attributes of what sent it. */
  resource(): Readonly<Record<string, string | number>>;
  points(metric: string): readonly ReceivedPoint[];
  close(): Promise<void>;
}

/** @param answer - status to answer with; `hang` never answers. @default 200 */
export async function startCollector(answer: number | "hang" = 200): Promise<Collector> {
  const bodies: string[] = [];
  const requests: { path: string; headers: NodeJS.Dict<string | string[]> }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      requests.push({ path: request.url ?? "", headers: request.headers });
      bodies.push(Buffer.concat(chunks).toString());
      if (answer !== "hang") response.writeHead(answer, { "content-type": "application/json" }).end("{}");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const sent = (key: string): JsonObject[] => bodies.flatMap((body) => list((JSON.parse(body) as JsonObject)[key]));
  const inside = (from: readonly JsonObject[], ...keys: string[]): JsonObject[] =>
    keys.reduce<readonly JsonObject[]>((found, key) => found.flatMap((one) => list(one[key])), from) as JsonObject[];
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies: () => bodies,
    requests,
    spans: () => inside(sent("resourceSpans"), "scopeSpans", "spans").map(toSpan),
    resource: () => attributesOf((sent("resourceSpans")[0]?.["resource"] ?? {}) as JsonObject),
    points: (metric) => {
      const newest = inside(sent("resourceMetrics"), "scopeMetrics", "metrics").findLast(({ name }) => name === metric);
      const data = newest?.["sum"] ?? newest?.["gauge"] ?? newest?.["histogram"] ?? {};
      return list((data as JsonObject)["dataPoints"]).map((point) => ({
        attributes: attributesOf(point),
        value: Number(point["asInt"] ?? point["asDouble"] ?? point["count"]),
      }));
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function toSpan(span: JsonObject): ReceivedSpan {
  const milliseconds = (nanoseconds: JsonValue | undefined): number => Number(BigInt(String(nanoseconds)) / 1_000_000n);
  return {
    traceId: String(span["traceId"]),
    spanId: String(span["spanId"]),
    parentSpanId: span["parentSpanId"] as string | undefined,
    name: String(span["name"]),
    startedAt: milliseconds(span["startTimeUnixNano"]),
    endedAt: milliseconds(span["endTimeUnixNano"]),
    isError: (span["status"] as JsonObject)["code"] === 2,
    attributes: attributesOf(span),
    events: list(span["events"]).map((event) => ({ name: String(event["name"]), attributes: attributesOf(event) })),
  };
}

function attributesOf(holder: JsonObject): Record<string, string | number> {
  return Object.fromEntries(
    list(holder["attributes"]).map(({ key, value }) => {
      const { stringValue, intValue, doubleValue } = value as Readonly<Record<string, string | number>>;
      return [String(key), stringValue ?? Number(intValue ?? doubleValue)];
    }),
  );
}

function list(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? (value as JsonObject[]) : [];
}
