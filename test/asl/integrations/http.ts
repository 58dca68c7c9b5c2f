import { isJsonObject, type JsonValue } from "../../../src/core/json.ts";
import { StateFailure } from "../state-failure.ts";
import type { Integration, TaskCall } from "./integration.ts";

// An HTTP task may take no longer.
const mostMs = 60_000;

/** `http:invoke`, with what the connection adds to the request. */
export const http: Integration = {
  resource: "http:invoke",
  resourceType: "http",
  action: "invoke",
  arguments: {
    ApiEndpoint: true,
    Method: true,
    Authentication: false,
    InvocationConfig: false,
    Headers: false,
    QueryParameters: false,
    RequestBody: false,
  },
  inExpress: true,
  call: async (task) => {
    const { world, signal } = task;
    const over = new AbortController();
    const both = AbortSignal.any([signal, over.signal]);
    try {
      return await Promise.race([
        world.outside(both, () => request(task, both)),
        world.wait(mostMs, both).then((): never => {
          throw new StateFailure("States.Http.Socket", "The request took longer than 60 seconds");
        }),
      ]);
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof StateFailure ? error : new StateFailure("States.Http.Socket", String(error));
    } finally {
      over.abort(new StateFailure(undefined, "The request is over"));
    }
  },
};

async function request({ arguments: given, world }: TaskCall, signal: AbortSignal): Promise<JsonValue> {
  const config = given["InvocationConfig"] ?? given["Authentication"];
  const arn = isJsonObject(config) ? String(config["ConnectionArn"]) : "";
  const connection = world.connections[arn];
  if (connection === undefined)
    throw new StateFailure("Events.ConnectionResource.NotFound", `The connection ${arn} does not exist`);
  const url = new URL(String(given["ApiEndpoint"]));
  for (const [name, value] of [...texts(given["QueryParameters"]), ...Object.entries(connection.query ?? {})])
    url.searchParams.append(name, value);
  const body = given["RequestBody"];
  const headers = new Headers(body === undefined ? {} : { "content-type": "application/json" });
  for (const [name, value] of [...texts(given["Headers"]), ...Object.entries(connection.headers ?? {})])
    headers.set(name, value);
  const response = await fetch(url, {
    method: String(given["Method"]),
    headers,
    signal,
    redirect: "manual",
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  return read(response);
}

async function read(response: Response): Promise<JsonValue> {
  const text = await response.text();
  const answer = {
    Headers: Object.fromEntries([...response.headers].map(([name, value]) => [name, [value]])),
    ResponseBody: response.ok ? parsed(text, response.headers.get("content-type") ?? "") : text,
    StatusCode: response.status,
    StatusText: response.statusText,
  };
  if (response.ok) return answer;
  throw new StateFailure(`States.Http.StatusCode.${response.status}`, JSON.stringify(answer));
}

function parsed(text: string, type: string): JsonValue {
  return /[/+]json\b/.test(type) ? (JSON.parse(text) as JsonValue) : text;
}

function texts(values: JsonValue | undefined): [string, string][] {
  return isJsonObject(values) ? Object.entries(values).map(([name, value]) => [name, String(value)]) : [];
}
