import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import type { MapState } from "./definition.ts";
import { childStatus, type MapChild, type MapRun } from "./map-run.ts";
import { StateFailure } from "./state-failure.ts";
import { evaluateIn, type Visit } from "./visit.ts";

/** Writes the results of a Map Run to S3. */
export interface ResultWriter {
  /**
   * @returns the state's result
   * @throws StateFailure `States.ResultWriterFailed`
   */
  write(mapRun: MapRun): Promise<JsonObject>;
}

const files = ["SUCCEEDED", "FAILED", "PENDING"] as const;

/**
 * Results in place of a file: outputs in the order of the items, and all about an execution that failed.
 *
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
 */
export function collectResults({ children }: MapRun): readonly JsonValue[] {
  return children.map((child) => (childStatus(child) === "SUCCEEDED" ? outputOf(child) : describe(child)));
}

/** The writer of a Map state; undefined when it has none. */
export async function openResultWriter(visit: Visit<MapState>): Promise<ResultWriter | undefined> {
  const { ResultWriter: writer } = visit.state;
  if (writer === undefined) return undefined;
  const where = (await evaluateIn(visit, writer.Arguments, "ResultWriter/Arguments")) as JsonObject;
  const { Transformation, OutputType } = writer.WriterConfig ?? { Transformation: "NONE", OutputType: "JSON" };
  const bucket = String(where["Bucket"]);
  const prefix = typeof where["Prefix"] === "string" ? `${where["Prefix"].replace(/\/$/, "")}/` : "";
  return {
    write: async (mapRun) => {
      const folder = `${prefix}${mapRun.arn.split(":").at(-1)}`;
      const results: Record<string, JsonValue> = {};
      for (const name of files) {
        const texts = mapRun.children
          .filter((child) => fileOf(child) === name)
          .map((child) =>
            JSON.stringify(name === "SUCCEEDED" && Transformation === "COMPACT" ? outputOf(child) : describe(child)),
          );
        const written: JsonObject[] = [];
        for (const [index, part] of parts(texts, visit.run.world.resultFileBytes).entries()) {
          const body = OutputType === "JSON" ? `[${part.join(",")}]` : part.join("\n");
          const Key = `${folder}/${name}_${index}.${OutputType.toLowerCase()}`;
          await put(visit, bucket, Key, body);
          written.push({ Key, Size: Buffer.byteLength(body) });
        }
        results[name] = written;
      }
      const manifest = { DestinationBucket: bucket, MapRunArn: mapRun.arn, ResultFiles: results };
      await put(visit, bucket, `${folder}/manifest.json`, JSON.stringify(manifest));
      return { MapRunArn: mapRun.arn, ResultWriterDetails: { Bucket: bucket, Key: `${folder}/manifest.json` } };
    },
  };
}

function fileOf(child: MapChild): (typeof files)[number] {
  const status = childStatus(child);
  return status === "SUCCEEDED" || status === "PENDING" ? status : "FAILED";
}

function outputOf({ execution }: MapChild): JsonValue {
  return execution?.output ?? null;
}

// As DescribeExecution has it, in the writer's letters.
function describe({ execution, input }: MapChild): JsonObject {
  const given = { Input: JSON.stringify(input), InputDetails: { Included: true } };
  if (execution === undefined) return { ...given, Status: "PENDING" };
  const { arn, name, plan, status, startedAt, stoppedAt, output, error, cause, redriveCount } = execution;
  return {
    ...(cause === undefined ? {} : { Cause: cause }),
    ...(error === undefined ? {} : { Error: error }),
    ExecutionArn: arn,
    ...given,
    Name: name,
    ...(output === undefined ? {} : { Output: JSON.stringify(output), OutputDetails: { Included: true } }),
    RedriveCount: redriveCount,
    ...(status === "SUCCEEDED"
      ? { RedriveStatus: "NOT_REDRIVABLE", RedriveStatusReason: "Execution is SUCCEEDED and cannot be redriven" }
      : { RedriveStatus: "REDRIVABLE" }),
    StartDate: startedAt.toISOString(),
    StateMachineArn: plan.machineArn,
    Status: status,
    StopDate: stoppedAt?.toISOString() ?? null,
  };
}

// Files are filled up to the limit, and a record is never cut.
function parts(texts: readonly string[], most: number): string[][] {
  const parts: string[][] = [];
  let used = Infinity;
  for (const text of texts) {
    const bytes = Buffer.byteLength(text) + 1;
    if (used + bytes > most) {
      parts.push([]);
      used = 0;
    }
    parts.at(-1)?.push(text);
    used += bytes;
  }
  return parts;
}

async function put({ run: { world }, branch }: Visit, Bucket: string, Key: string, body: string): Promise<void> {
  const { Upload } = await import("@aws-sdk/lib-storage");
  try {
    const client = await world.aws.s3();
    await world.outside(branch.signal, () => new Upload({ client, params: { Bucket, Key, Body: body } }).done());
  } catch (error) {
    branch.signal.throwIfAborted();
    throw new StateFailure("States.ResultWriterFailed", (error as Error).message);
  }
}
