import { setTimeout } from "node:timers/promises";
import { EventSourceParserStream } from "eventsource-parser/stream";
import type { PlanChoice, PlanReport } from "../app/plan.ts";
import type { TryChoice } from "../app/try-row.ts";
import type { TableHead } from "../app/workbench.ts";
import type { AgentDefinition } from "../core/agent.ts";
import type { Delivery } from "../core/channel.ts";
import type { DeletedRun, RerunChoice, RowPage, RowQuery, RowReport, RunLimits, RunSurvey } from "../core/engine.ts";
import { isErrorCode, RowcallError } from "../core/errors.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import type { RunStatus } from "../core/run.ts";
import type { PublicationStatus, TemplateDocument } from "../core/template.ts";
import type { BatchRequest, Difference, RunDetail } from "./api/schemas.ts";
import type { RunView } from "./run-view.ts";
import type { Tried } from "./tries.ts";

/** Where a server is, and what lets one in. */
export interface ClientOptions {
  /** As `rowcall serve` prints it, with or without the token. */
  readonly url: string;
  /** @default that of the address */
  readonly token?: string;
  /** @default the global one */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/** An event of a server's stream. */
export interface ClientEvent {
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
}

/** A server of Rowcall. Every method throws the RowcallError that the server answers with. */
export type RowcallClient = ReturnType<typeof createRowcallClient>;

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * A typed client of `rowcall serve`.
 *
 * @example
 * const client = createRowcallClient({ url: "http://127.0.0.1:8084", token: process.env.ROWCALL_TOKEN });
 * const { run } = await client.startRun({ batch: { agent: "lookup", input: "/data/rows.csv" } });
 */
export function createRowcallClient(options: ClientOptions) {
  const address = new URL(options.url);
  const token = options.token ?? address.searchParams.get("token") ?? "";
  const send = options.fetch ?? fetch;
  const urlOf = (path: string, query: Query = {}): string => {
    const url = new URL(`/api/v1${path}`, address);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    return url.href;
  };
  const request = async (url: string, init: RequestInit & { readonly duplex?: "half" } = {}): Promise<Response> => {
    const headers = { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string> | undefined) };
    const response = await send(url, { ...init, headers });
    if (response.ok) return response;
    throw await errorOf(response);
  };
  const get = async <T>(path: string, query?: Query): Promise<T> =>
    (await (await request(urlOf(path, query))).json()) as T;
  const change = async <T>(method: string, path: string, body: unknown = {}, headers = {}): Promise<T> => {
    const init = { method, body: JSON.stringify(body), headers: { "content-type": "application/json", ...headers } };
    return (await (await request(urlOf(path), init)).json()) as T;
  };
  const runPath = (id: string, rest = ""): string => `/runs/${encodeURIComponent(id)}${rest}`;
  const act = (verb: string) => (id: string) => change<RunDetail>("POST", runPath(id, `/${verb}`));

  return {
    listRuns: (query?: {
      readonly text?: string;
      readonly status?: RunStatus;
      readonly after?: string;
      readonly limit?: number;
    }) => get<{ readonly runs: readonly RunView[]; readonly next?: string }>("/runs", query),
    /** @param key - the same key with the same request is one run, however often it is sent */
    startRun: (body: BatchRequest, key?: string) =>
      change<RunDetail>("POST", "/runs", body, key === undefined ? {} : { "idempotency-key": key }),
    getRun: (id: string) => get<RunDetail>(runPath(id)),
    surveyRun: (id: string) => get<RunSurvey>(runPath(id, "/survey")),
    adjustRun: (id: string, limits: Omit<Partial<RunLimits>, "paused">) =>
      change<RunDetail>("PATCH", runPath(id, "/limits"), limits),
    pauseRun: act("pause"),
    unpauseRun: act("unpause"),
    stopRun: act("stop"),
    resumeRun: act("resume"),
    rerunRows: (id: string, choice: RerunChoice = {}) => change<RunDetail>("POST", runPath(id, "/rerun"), choice),
    notifyAgain: async (id: string, all = false) =>
      (await change<{ deliveries: readonly Delivery[] }>("POST", runPath(id, "/notify"), { all })).deliveries,
    /** Deletes everything that is kept of a run that is not in flight. */
    deleteRun: (id: string) => change<DeletedRun>("DELETE", runPath(id)),
    listRows: (id: string, query?: Partial<RowQuery>) => get<RowPage>(runPath(id, "/rows"), query),
    getRow: (id: string, row: number) => get<RowReport>(runPath(id, `/rows/${row}`)),
    /** A run's table as bytes as they come. */
    downloadTable: async (
      id: string,
      query?: { readonly which?: "now" | "final" | "failed"; readonly format?: "csv" | "jsonl" },
    ): Promise<ReadableStream<Uint8Array>> => {
      const { body } = await request(urlOf(runPath(id, "/table"), query));
      return body ?? new ReadableStream();
    },
    uploadTable: async (content: Uint8Array | ReadableStream<Uint8Array> | Blob, name?: string) => {
      const init = { method: "POST", body: content as NonNullable<RequestInit["body"]>, duplex: "half" as const };
      return (await (await request(urlOf("/uploads", { name }), init)).json()) as UploadedTable;
    },
    planBatch: (body: { readonly batch: JsonObject } & PlanChoice) => change<PlanReport>("POST", "/plans", body),
    tryRow: (body: { readonly batch: JsonObject } & TryChoice) => change<Tried>("POST", "/tries", body),
    tryRowOfRun: (id: string, choice: TryChoice) => change<Tried>("POST", runPath(id, "/tries"), choice),
    agents: catalog<AgentDefinition>("agents"),
    templates: catalog<TemplateDocument>("templates"),
    /** Live events of one run or of all, until the signal aborts; continues where it was when the connection breaks. */
    async *events({
      run,
      signal,
    }: { readonly run?: string; readonly signal?: AbortSignal } = {}): AsyncGenerator<ClientEvent> {
      let last: string | undefined;
      while (signal?.aborted !== true) {
        const headers: Record<string, string> = last === undefined ? {} : { "last-event-id": last };
        const url = urlOf(run === undefined ? "/events" : runPath(run, "/events"));
        try {
          const { body } = await request(url, { headers, signal });
          const sent = body?.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
          for await (const { id = "", event: type = "message", data } of sent ?? []) {
            last = id;
            yield { id, type, data: JSON.parse(data) as unknown };
          }
        } catch (error) {
          if (error instanceof RowcallError) throw error;
        }
        await setTimeout(reconnectMs, undefined, { signal }).catch(() => {});
      }
    },
  };

  /** Documents of one kind in the server's registry. */
  function catalog<T>(noun: string) {
    const path = (name: string, rest = ""): string => `/${noun}/${encodeURIComponent(name)}${rest}`;
    return {
      list: async () => (await get<Record<string, readonly T[]>>(`/${noun}`))[noun] ?? [],
      get: (name: string, version?: string) => get<T>(path(name), { version }),
      publish: (document: T) => change<{ readonly registry: string }>("POST", `/${noun}`, document),
      diff: (name: string, from: string, to: string) =>
        get<{ readonly differences: readonly Difference[] }>(path(name, "/diff"), { from, to }),
      setStatus: (name: string, version: string, status: PublicationStatus) =>
        change<{ readonly registry: string }>("PUT", path(name, `/versions/${version}/status`), { status }),
    };
  }
}

interface UploadedTable extends TableHead {
  readonly inputUri: string;
}

const reconnectMs = 1000;

async function errorOf(response: Response): Promise<RowcallError> {
  const text = await response.text();
  try {
    const problem: unknown = JSON.parse(text);
    if (isJsonObject(problem)) {
      const { code, detail, hint, details } = problem;
      if (typeof code === "string" && isErrorCode(code)) {
        return new RowcallError(code, typeof detail === "string" ? detail : text, {
          hint: typeof hint === "string" ? hint : undefined,
          details: isJsonObject(details) ? details : undefined,
        });
      }
    }
  } catch {
    // A proxy's own page, for one.
  }
  return new RowcallError("UNEXPECTED", `The server answered ${response.status}: ${text.slice(0, 200)}`);
}
