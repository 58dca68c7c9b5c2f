import { isJsonObject, type JsonObject, type JsonValue } from "../../../src/core/json.ts";

/** Texts of one run and the placeholders that the recordings have for them. */
export type Placeholders = ReadonlyMap<string, string>;

/** An event, stripped of what is another in every run. */
export interface PlainEvent {
  readonly id: unknown;
  readonly previousEventId: unknown;
  readonly type: string;
  readonly details: JsonValue;
}

// Headers, request ids and stack traces are the services' and the function's own; the count of redrives is newer than some recordings.
const left: ReadonlySet<string> = new Set([
  "SdkHttpMetadata",
  "SdkResponseMetadata",
  "ResponseMetadata",
  "requestId",
  "stackTrace",
  "trace",
  "RedriveCount",
]);
const dates = /^(date|datetime|timestamp|start-date|stop-date|<start-time>|<entered-time>|\d{4}-\d\d-\d\dT[\d:.]+Z)$/;

/** Events in a form in which a run here and a recording of AWS can be compared. */
export function plainEvents(events: readonly unknown[], placeholders: Placeholders): readonly PlainEvent[] {
  return (events as readonly Record<string, unknown>[]).map((event) => {
    const [details = null] = Object.entries(event).flatMap(([key, value]) => (key.endsWith("Details") ? [value] : []));
    const { id, previousEventId, type } = event;
    return { id, previousEventId, type: String(type), details: plain(details as JsonValue, placeholders) };
  });
}

/** A value in which JSON texts are parsed, and texts are placeholders. */
export function plain(value: JsonValue | undefined, placeholders: Placeholders): JsonValue {
  if (typeof value === "string") return plainText(value, placeholders);
  if (Array.isArray(value)) return (value as JsonValue[]).map((each) => plain(each, placeholders));
  if (!isJsonObject(value)) return value ?? null;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !left.has(key))
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, each]) => [key, key === "TimestampValue" ? "date" : plain(each, placeholders)]),
  );
}

function plainText(text: string, placeholders: Placeholders): JsonValue {
  const parsed = parse(text);
  if (typeof parsed === "object" && parsed !== null) return plain(parsed, placeholders);
  if (dates.test(text)) return "date";
  let plainText = text;
  for (const [own, placeholder] of placeholders) plainText = plainText.replaceAll(own, placeholder);
  return plainText;
}

function parse(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}

/**
 * What must be the same: what happened after what, with which details. Where branches run side by side, AWS's order is chance; so
 * the events are put as a tree, each with those that follow it, in an order of their own.
 */
export function eventTree(events: readonly PlainEvent[]): JsonValue {
  // After a Map Run AWS went on from its start or from its end, depending on the year.
  const followers = new Map<unknown, PlainEvent[]>();
  const mapRunStart = new Map(
    events.flatMap(({ id, previousEventId, type }) => (type === "MapRunSucceeded" ? [[id, previousEventId]] : [])),
  );
  for (const event of events) {
    const { previousEventId: before, type } = event;
    const previous = type === "MapStateExited" ? (mapRunStart.get(before) ?? before) : before;
    followers.set(previous, [...(followers.get(previous) ?? []), event]);
  }
  const tree = (id: unknown): JsonValue =>
    (followers.get(id) ?? [])
      .map(({ id, type, details }): JsonObject => ({ type, details, then: tree(id) }))
      .toSorted((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
  return tree(0);
}

/**
 * The same for recordings of Parallel states, whose branches were sorted and lost their ids: what happened, in no order. The ends
 * of inner Parallel states were lost as well.
 */
export function eventList(events: readonly PlainEvent[]): JsonValue {
  const lastExit = events.findLastIndex(({ type }) => type === "ParallelStateExited");
  return events
    .filter(
      ({ type }, index) => type !== "ParallelStateSucceeded" && (type !== "ParallelStateExited" || index === lastExit),
    )
    .map(({ type, details }): JsonObject => ({ type, details }))
    .toSorted((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
}
