import type { InvokeCommandOutput } from "@aws-sdk/client-lambda";
import type { AgentDefinition, AgentInput, InvokeContext, Invoker } from "../core/agent.ts";
import type { HostedEnvironment } from "./agent-host.ts";
import { awsClientConfig } from "../aws/aws.ts";
import { messageOf, RowcallError } from "../core/errors.ts";
import { parseJson, type JsonValue } from "../core/json.ts";
import type { Monotonic } from "../core/services.ts";
import { httpSettings } from "./aws-http.ts";
import { excerpt } from "./excerpt.ts";
import { functionRegion, parseLambdaConfig } from "./lambda/lambda-config.ts";
import { callError, functionError, tooLarge, retryUnstarted } from "./lambda/lambda-errors.ts";
import { takeOutput } from "../core/take-output.ts";

/** Lambda's limit of a payload, both ways. */
const maxPayloadBytes = 6 * 1024 * 1024;

/**
 * Opens an agent that is an AWS Lambda function, invoked once for every row with the mapped row as its event. Whether it is
 * there and may be invoked is found out at once, without running it.
 *
 * @param monotonic - for how long a call took
 * @throws RowcallError AGENT_INVALID; AWS_DENIED without credentials, region, function or permission
 */
export async function openLambdaAgent(
  definition: AgentDefinition,
  environment: HostedEnvironment,
  monotonic: Monotonic = () => performance.now(),
): Promise<Invoker> {
  const config = parseLambdaConfig(definition);
  const { function: name, qualifier } = config;
  const { InvokeCommand, LambdaClient } = await import("@aws-sdk/client-lambda");
  const settings = awsClientConfig(environment.aws, "LAMBDA", functionRegion(config));
  const client = new LambdaClient({
    ...settings,
    requestHandler: httpSettings(environment.concurrency),
    retryStrategy: retryUnstarted(Math.random),
  });
  const target = { FunctionName: name, Qualifier: qualifier };

  async function call(payload: string, signal: AbortSignal): Promise<InvokeCommandOutput> {
    try {
      return await client.send(
        new InvokeCommand({ ...target, InvocationType: "RequestResponse", LogType: "Tail", Payload: payload }),
        { abortSignal: signal },
      );
    } catch (thrown) {
      signal.throwIfAborted();
      throw callError(name, thrown);
    }
  }

  async function invoke(input: AgentInput, { signal, artifacts }: InvokeContext): Promise<JsonValue> {
    signal.throwIfAborted();
    const payload = JSON.stringify(input);
    const size = Buffer.byteLength(payload);
    if (size > maxPayloadBytes) throw tooLarge(name, `it is ${size} bytes of JSON`);
    const startedAt = monotonic();
    const note = (status: "done" | "failed", detail: string): void => {
      artifacts.step({ name: `invoke ${name}`, status, durationMs: monotonic() - startedAt, detail });
    };
    let answer: InvokeCommandOutput;
    try {
      answer = await call(payload, signal);
    } catch (thrown) {
      note("failed", messageOf(thrown));
      throw thrown;
    }
    const version = `version ${answer.ExecutedVersion ?? qualifier ?? "$LATEST"}`;
    const failure = answer.FunctionError;
    note(failure === undefined ? "done" : "failed", failure === undefined ? version : logTail(answer) || version);
    const reply = parsePayload(name, answer);
    if (failure !== undefined) throw functionError(reply);
    return takeOutput(config.output, reply, `the function ${name}`);
  }

  try {
    await client.send(new InvokeCommand({ ...target, InvocationType: "DryRun" }));
  } catch (thrown) {
    const error = callError(name, thrown);
    // What may pass is left to the rows and their retries, and not every emulator knows dry runs.
    if (!error.retryable) {
      client.destroy();
      throw error;
    }
  }
  const { endpoint = `https://lambda.${await client.config.region()}.amazonaws.com` } = settings;
  const host = URL.parse(endpoint)?.host;
  return {
    invoke,
    targetHost: () => host,
    preview: (input) => ({ function: name, ...(qualifier === undefined ? {} : { qualifier }), payload: input }),
    close: async () => client.destroy(),
  };
}

function parsePayload(name: string, { Payload }: InvokeCommandOutput): JsonValue {
  const text = Payload?.transformToString() ?? "";
  if (text === "") return null;
  try {
    return parseJson(text);
  } catch {
    throw new RowcallError("OUTPUT_INVALID", `The function ${name} answered with what is not JSON: ${excerpt(text)}`, {
      hint: "The function must answer with JSON.",
    });
  }
}

/** The end of the function's log, without its tabs, which a table of steps cannot show. */
function logTail({ LogResult }: InvokeCommandOutput): string {
  return Buffer.from(LogResult ?? "", "base64")
    .toString("utf8")
    .trim()
    .replaceAll("\t", "  ");
}
