import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import type { ItemReader, MapState } from "./definition.ts";
import { readCsv } from "./read-csv.ts";
import { StateFailure } from "./state-failure.ts";
import { evaluateIn, evaluateTypedIn, type Visit } from "./visit.ts";

// More than AWS takes.
const mostItems = 100_000_000;

/**
 * Reads a distributed map's items from S3.
 *
 * @throws StateFailure `States.ItemReaderFailed`, `States.QueryEvaluationError`
 */
export async function readItems(visit: Visit<MapState>): Promise<readonly JsonValue[]> {
  const { ItemReader: reader } = visit.state;
  if (reader === undefined) throw new Error("A map without items has a reader");
  const { InputType, MaxItems } = reader.ReaderConfig;
  const limit =
    MaxItems === undefined
      ? 0
      : Number(await evaluateTypedIn(visit, MaxItems, "integer", "ItemReader/ReaderConfig/MaxItems"));
  if (limit < 0) throw new StateFailure("States.ItemReaderFailed", "field MaxItems must be positive");
  const where = (await evaluateIn(visit, reader.Arguments, "ItemReader/Arguments")) as JsonObject;
  const items = parse(InputType, await fetchText(visit, String(where["Bucket"]), String(where["Key"])));
  return limit === 0 || limit > mostItems ? items : items.slice(0, limit);
}

async function fetchText({ run: { world }, branch }: Visit, Bucket: string, Key: string): Promise<string> {
  const { GetObjectCommand } = await import("@aws-sdk/client-s3");
  try {
    const client = await world.aws.s3();
    return await world.outside(branch.signal, async () => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }), { abortSignal: branch.signal });
      return (await Body?.transformToString()) ?? "";
    });
  } catch (error) {
    branch.signal.throwIfAborted();
    throw new StateFailure("States.ItemReaderFailed", (error as Error).message);
  }
}

function parse(type: ItemReader["ReaderConfig"]["InputType"], text: string): readonly JsonValue[] {
  switch (type) {
    case "JSON":
      return parseArray(text);
    case "JSONL":
      return text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [parseJson(line)]));
    case "CSV":
      return readCsv(text);
  }
}

function parseArray(text: string): readonly JsonValue[] {
  const items = parseJson(text);
  if (Array.isArray(items)) return items as readonly JsonValue[];
  throw new StateFailure("States.ItemReaderFailed", "Attempting to map over non-iterable node.");
}

function parseJson(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new StateFailure("States.ItemReaderFailed", (error as Error).message);
  }
}
