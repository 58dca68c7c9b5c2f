import { RowcallError } from "../core/errors.ts";
import type { AwsRuns } from "../app/wire.ts";
import type { Io } from "./io.ts";

/** Where batches run: on this machine, or in a batch processor on AWS. */
export const engineNames = ["local", "aws"] as const;
/** One of {@link engineNames}. */
export type EngineName = (typeof engineNames)[number];

/** The options that say where batches run. */
export interface EngineOptions {
  readonly engine?: EngineName;
  readonly stateMachineArn?: string;
  readonly runs?: string;
}

/**
 * Where batches run, by `--engine` or ROWCALL_ENGINE.
 *
 * @throws RowcallError USAGE_INVALID
 */
export function chosenEngine({ engine }: EngineOptions, env: Io["env"]): EngineName {
  const name = engine ?? (given(env["ROWCALL_ENGINE"]) || "local");
  const known = engineNames.find((each) => each === name);
  if (known !== undefined) return known;
  throw new RowcallError("USAGE_INVALID", `ROWCALL_ENGINE is "${name}"`, {
    hint: `Use one of: ${engineNames.join(", ")}.`,
  });
}

/**
 * Which batch processor runs batches on AWS, by options or environment.
 *
 * @throws RowcallError USAGE_INVALID when that is not said
 */
export function chosenProcessor({ stateMachineArn, runs }: EngineOptions, env: Io["env"]): AwsRuns {
  return {
    stateMachineArn: required(stateMachineArn ?? given(env["ROWCALL_STATE_MACHINE_ARN"]), {
      what: "which state machine runs batches",
      how: "--state-machine-arn or ROWCALL_STATE_MACHINE_ARN",
    }),
    runsUri: required(runs ?? given(env["ROWCALL_RUNS_URI"]), {
      what: "where it keeps its runs",
      how: "--runs or ROWCALL_RUNS_URI",
    }),
  };
}

function required(value: string | undefined, { what, how }: { readonly what: string; readonly how: string }): string {
  if (value !== undefined) return value;
  throw new RowcallError("USAGE_INVALID", `The engine on AWS does not know ${what}`, {
    hint: `Set ${how}; the deployment's output RunBatches has the line to paste.`,
  });
}

function given(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}
