import type { ServerResponse } from "node:http";
import type { AwsSettings } from "../../src/aws/aws.ts";
import type { JsonValue } from "../../src/core/json.ts";
import { startService, type ReceivedRequest, type TestService } from "./echo-service.ts";

/** What Lambda answers to an invocation. */
export type LambdaAnswer =
  | { readonly payload: JsonValue }
  /** A payload that is not JSON, as custom runtimes may answer. */
  | { readonly text: string }
  /** The function ran and failed. */
  | { readonly functionError: JsonValue; readonly log?: string }
  /** Lambda refused. */
  | {
      readonly status: number;
      readonly type: string;
      readonly message: string;
      readonly more?: Readonly<Record<string, string>>;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The connection is cut. */
  | "cut"
  /** No answer ever. */
  | "hang";

/** An invocation as Lambda got it. */
export interface Invocation {
  readonly name: string;
  readonly qualifier: string | undefined;
  readonly payload: JsonValue;
  readonly request: ReceivedRequest;
}

/** Lambda's endpoint for invocations. */
export interface LambdaService extends Omit<TestService, "requests"> {
  readonly aws: AwsSettings;
  /** Without dry runs. */
  readonly invocations: readonly Invocation[];
}

/** Credentials that nobody checks. */
export const testCredentials = { accessKeyId: "AKIDTEST", secretAccessKey: "secret" } as const;

/**
 * Starts an endpoint that speaks Lambda's Invoke.
 *
 * @param answer - what is answered to an invocation
 * @param answerDry - what is answered to a dry run; undefined when the function may be invoked
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export async function startLambda(
  answer: (invocation: Invocation) => LambdaAnswer,
  answerDry: (invocation: Invocation) => LambdaAnswer | undefined = () => undefined,
): Promise<LambdaService> {
  const invocations: Invocation[] = [];
  const service = await startService((request, response) => {
    const { pathname, searchParams } = new URL(request.path, "http://lambda");
    const name = decodeURIComponent(/^\/2015-03-31\/functions\/(.+)\/invocations$/.exec(pathname)?.[1] ?? "");
    const qualifier = searchParams.get("Qualifier") ?? undefined;
    const isDry = request.headers["x-amz-invocation-type"] === "DryRun";
    const payload = request.body === "" ? null : (JSON.parse(request.body) as JsonValue);
    const invocation = { name, qualifier, payload, request };
    if (!isDry) invocations.push(invocation);
    const answered = isDry ? answerDry(invocation) : answer(invocation);
    if (answered === undefined) response.writeHead(204).end();
    else send(response, answered, qualifier);
  });
  return {
    ...service,
    invocations,
    aws: { region: "eu-west-1", credentials: testCredentials, endpoints: { LAMBDA: service.origin } },
  };
}

function send(response: ServerResponse, answer: LambdaAnswer, qualifier = "$LATEST"): void {
  const headers = { "content-type": "application/json", "x-amz-executed-version": qualifier };
  if (answer === "hang") return;
  if (answer === "cut") response.destroy();
  else if ("payload" in answer) response.writeHead(200, headers).end(JSON.stringify(answer.payload));
  else if ("text" in answer) response.writeHead(200, headers).end(answer.text);
  else if ("functionError" in answer) {
    const log = { "x-amz-log-result": Buffer.from(answer.log ?? "").toString("base64") };
    response
      .writeHead(200, { ...headers, ...log, "x-amz-function-error": "Unhandled" })
      .end(JSON.stringify(answer.functionError));
  } else {
    response
      .writeHead(answer.status, { ...answer.headers, "x-amzn-errortype": answer.type })
      .end(JSON.stringify({ Type: "User", message: answer.message, ...answer.more }));
  }
}
