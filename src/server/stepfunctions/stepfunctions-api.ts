import { randomUUID } from "node:crypto";
import { Hono, type Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Audit } from "../../app/audit.ts";
import { messageOf, RowcallError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { onlyLoopbackHosts } from "../security/access.ts";
import { activityOperations, tagOperations, taskOperations } from "./activity-operations.ts";
import { ApiError } from "./api-error.ts";
import { createArns, type Place } from "./arns.ts";
import { executionOperations } from "./execution-operations.ts";
import { machineOperations } from "./machine-operations.ts";
import { mapRunOperations } from "./map-run-operations.ts";
import type { Endpoint, Operations } from "./operation.ts";
import type { SignedRequest } from "./signature.ts";

/** What the endpoint serves, and to whom. */
export interface StepFunctionsSetup extends Omit<Endpoint, "arns" | "longPollMs">, Place {
  /** Lets a request through, or throws an ApiError: see `verifySignature`. */
  readonly authorize: (request: SignedRequest) => Promise<void>;
  /** Notes what was started and changed. @default nobody does */
  readonly audit?: Audit;
  /** Answer only requests to a name of this machine itself. */
  readonly loopbackOnly: boolean;
  /** @default 50,000: the AWS command line gives up after 60 seconds */
  readonly longPollMs?: number;
}

const longestBody = 2 * 1024 * 1024;

/** Builds the endpoint: AWS Step Functions' API, as far as it makes sense here, at `POST /`. */
export function createStepFunctionsApi(setup: StepFunctionsSetup): Hono {
  const operations = operationsOf({ longPollMs: 50_000, ...setup, arns: createArns(setup) });
  const app = new Hono();
  app.onError((thrown, c) => sendError(c, thrown));
  app.notFound((c) => sendError(c, unknownOperation(`${c.req.method} ${c.req.path}`)));
  if (setup.loopbackOnly) app.use(onlyLoopbackHosts(foreignHost));
  app.use(
    bodyLimit({
      maxSize: longestBody,
      onError: () => {
        throw new ApiError("RequestEntityTooLargeException", `A request may have ${longestBody} bytes`, {}, 413);
      },
    }),
  );
  app.post("/", async (c) => {
    const body = new Uint8Array(await c.req.arrayBuffer());
    const { method, url, headers, signal } = c.req.raw;
    await setup.authorize({ method, url, headers, body });
    const name = /^AWSStepFunctions\.(\w+)$/.exec(c.req.header("x-amz-target") ?? "")?.[1] ?? "";
    const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
    if (operation === undefined) throw unknownOperation(name);
    const input = parse(body);
    const note = async (outcome: string, answer?: JsonObject): Promise<void> => {
      if (!changing.test(name)) return;
      const by = signerOf(c.req.header("authorization"));
      await setup.audit?.({ via: "stepfunctions", by, action: name, target: arnIn(answer) ?? arnIn(input), outcome });
    };
    try {
      const answer = await operation(input, { signal });
      await note("done", answer);
      return send(c, 200, answer);
    } catch (thrown) {
      await note(thrown instanceof ApiError ? thrown.type : "InternalFailure");
      throw thrown;
    }
  });
  return app;
}

function operationsOf(endpoint: Endpoint): Operations {
  return {
    ...machineOperations(endpoint),
    ...executionOperations(endpoint),
    ...mapRunOperations(endpoint),
    ...activityOperations(endpoint),
    ...taskOperations(endpoint),
    ...tagOperations(endpoint),
  };
}

/** Operations that start or change something. */
const changing = /^(?:Start|Stop|Redrive|Update|Create|Delete|Tag|Untag)/;

function signerOf(authorization: string | undefined): string {
  return /Credential=([\w+=,.@-]{1,128})\//.exec(authorization ?? "")?.[1] ?? "unsigned";
}

/** What a request or an answer is about. */
function arnIn(value: unknown): string | undefined {
  const names = ["executionArn", "mapRunArn", "stateMachineArn", "activityArn", "resourceArn", "arn"];
  const found = isJsonObject(value)
    ? names.map((name) => value[name]).find((arn) => typeof arn === "string")
    : undefined;
  return typeof found === "string" ? found : undefined;
}

function foreignHost(host: string): ApiError {
  return new ApiError(
    "AccessDeniedException",
    `The host "${host}" is none of this machine's own names; use 127.0.0.1 or localhost`,
  );
}

function unknownOperation(name: string): ApiError {
  return new ApiError("UnknownOperationException", `The operation ${name} is not known here`);
}

function parse(body: Uint8Array): unknown {
  try {
    return body.length === 0 ? {} : JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (thrown) {
    throw new ApiError("SerializationException", `The body is not JSON: ${messageOf(thrown)}`);
  }
}

function sendError(c: Context, thrown: unknown): Response {
  const { type, message, details, status } = thrown instanceof ApiError ? thrown : translate(thrown);
  return send(c, status, { __type: `com.amazonaws.states#${type}`, message, ...details });
}

function translate(thrown: unknown): ApiError {
  if (!(thrown instanceof RowcallError)) return new ApiError("InternalFailure", messageOf(thrown), {}, 500);
  const text = thrown.hint === undefined ? thrown.message : `${thrown.message}. ${thrown.hint}`;
  if (thrown.code === "INTERRUPTED") return new ApiError("ServiceUnavailable", text, {}, 503);
  return new ApiError("ValidationException", `${thrown.code}: ${text}`);
}

function send(c: Context, status: 200 | ApiError["status"], body: JsonObject): Response {
  return c.body(JSON.stringify(body), status, {
    "Content-Type": "application/x-amz-json-1.0",
    "x-amzn-RequestId": randomUUID(),
  });
}
