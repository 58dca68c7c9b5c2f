import { tmpdir } from "node:os";
import process from "node:process";
import { RowcallError } from "../core/errors.ts";
import type { FunctionSetup } from "../engines/aws/function-setup.ts";
import { wire, type Wiring } from "../app/wire.ts";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * What every function stands on, from its environment: `RECORDINGS_URI`, `AGENT_TABLE` and `TEMPLATE_TABLE`.
 *
 * @throws RowcallError USAGE_INVALID when one is missing
 */
export function functionServices(
  env: Env = process.env,
): Pick<FunctionSetup, "services" | "recordingsPrefix"> & Pick<Wiring, "host"> {
  const recordingsPrefix = required(env, "RECORDINGS_URI");
  const { services, host } = wire({
    env,
    // The one place that a function may write to.
    workingDirectory: tmpdir(),
    recordingsPrefix,
    registries: [`dynamodb:${required(env, "AGENT_TABLE")}`, `dynamodb:${required(env, "TEMPLATE_TABLE")}`],
  });
  return { services, host, recordingsPrefix };
}

/**
 * The same for the batch processor's functions, which also take `RUNS_URI`, and where they are set `AGENT_MACHINE_ARN` and
 * `WORKER_WAIT_SECONDS`.
 *
 * @throws RowcallError USAGE_INVALID when one is missing
 */
export function functionSetup(env: Env = process.env): FunctionSetup & Pick<Wiring, "host"> {
  return {
    ...functionServices(env),
    runsUri: required(env, "RUNS_URI"),
    agentMachineArn: env["AGENT_MACHINE_ARN"] || undefined,
    workerWaitSeconds: Number(env["WORKER_WAIT_SECONDS"] ?? 86_400),
    workDirectory: tmpdir(),
  };
}

function required(env: Env, name: string): string {
  const value = env[name];
  if (value !== undefined && value !== "") return value;
  throw new RowcallError("USAGE_INVALID", `The function's environment lacks ${name}`, {
    hint: "Deploy it with the app in infra/, which sets it.",
  });
}
