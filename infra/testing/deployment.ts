import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Template } from "aws-cdk-lib/assertions";
import { ownEntries } from "../entries.ts";
import { createRowcallApp } from "../rowcall-app.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/core/json.ts";
import { resolveValue, stateMachinesOf, type ResolveOptions } from "../../test/asl/cloudformation.ts";
import type { LambdaHandler } from "../../test/asl/world.ts";

/** What the CDK app deploys, here: the definitions out of its templates, and its bundled functions in processes of their own. */
export interface Deployment {
  /** Definitions by the machine's name. */
  readonly machines: Readonly<Record<string, JsonObject>>;
  /** By the function's ARN. */
  readonly lambdas: Readonly<Record<string, LambdaHandler>>;
  close(): Promise<void>;
}

const place: ResolveOptions["place"] = { partition: "aws", region: "eu-west-1", account: "123456789012" };
const host = fileURLToPath(new URL("../../test/fixtures/lambda-host.ts", import.meta.url));

/**
 * Synthesises the app with its own functions and starts them.
 *
 * @param env - how functions reach AWS; their own variables are those of the template
 * @param options - context of the app
 */
export async function startDeployment(
  env: NodeJS.ProcessEnv,
  options: Readonly<Record<string, string>> = {},
): Promise<Deployment> {
  const folder = await mkdtemp(join(tmpdir(), "rowcall-deployment-"));
  const { context } = JSON.parse(await readFile(new URL("../cdk.json", import.meta.url), "utf8")) as {
    readonly context: Readonly<Record<string, JsonValue>>;
  };
  const { app, storage, agent, batches } = createRowcallApp(ownEntries, {
    outdir: folder,
    context: { ...context, ...options },
  });
  app.synth();
  const templates = [storage, agent, batches].map(({ stack }) => Template.fromStack(stack).toJSON());
  const machines = templates.flatMap((template) => stateMachinesOf(template, { place }));
  const functions = templates
    .flatMap((template) => functionsOf(template))
    .map((each) => startFunction(each, folder, env));
  return {
    machines: Object.fromEntries(machines.map(({ name, definition }) => [name, definition])),
    lambdas: Object.fromEntries(functions.map(({ arn, handler }) => [arn, handler])),
    close: async () => {
      await Promise.all(functions.map(({ close }) => close()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface TemplateFunction {
  readonly arn: string;
  /** Folder of its code in the cloud assembly. */
  readonly asset: string;
  readonly env: Readonly<Record<string, string>>;
}

function functionsOf(template: JsonObject): TemplateFunction[] {
  const resources = template["Resources"];
  if (!isJsonObject(resources)) return [];
  return Object.entries(resources).flatMap(([id, resource]): TemplateFunction[] => {
    if (!isJsonObject(resource) || resource["Type"] !== "AWS::Lambda::Function") return [];
    const { Code: code, Environment: environment } = resource["Properties"] as {
      readonly Code: { readonly S3Key: string };
      readonly Environment?: JsonObject;
    };
    const { Variables: env } = resolveValue(template, environment ?? {}, { place }) as unknown as {
      readonly Variables: Readonly<Record<string, string>>;
    };
    const arn = resolveValue(template, { "Fn::GetAtt": [id, "Arn"] }, { place });
    return [{ arn: arn as string, asset: `asset.${code.S3Key.replace(".zip", "")}`, env }];
  });
}

function startFunction(
  { arn, asset, env }: TemplateFunction,
  folder: string,
  reach: NodeJS.ProcessEnv,
): { readonly arn: string; readonly handler: LambdaHandler; close(): Promise<void> } {
  let child: ChildProcess | undefined;
  let calls = 0;
  const start = (): ChildProcess =>
    // Not the flags of this process, which may be a test runner's.
    fork(host, [join(folder, asset, "dist/index.mjs")], { cwd: tmpdir(), env: { ...reach, ...env }, execArgv: [] });
  return {
    arn,
    handler: async (event) => {
      child ??= start();
      const id = (calls += 1);
      child.send({ id, event });
      for (;;) {
        const [answer] = (await once(child, "message")) as [Answer];
        if (answer.id !== id) continue;
        if (answer.error === undefined) return answer.result;
        throw Object.assign(new Error(answer.error.message), { name: answer.error.name });
      }
    },
    close: async () => {
      if (child === undefined) return;
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    },
  };
}

interface Answer {
  readonly id: number;
  readonly result?: JsonValue;
  readonly error?: { readonly name: string; readonly message: string };
}
