import { z } from "zod";
import type { AgentDefinition } from "../../core/agent.ts";
import { parseArn, type Arn } from "../../aws/aws.ts";
import { RowcallError } from "../../core/errors.ts";
import { secretsSchema } from "../../core/secrets.ts";
import { outputProblems, outputSchema } from "../../core/take-output.ts";
import { parseConfig } from "../parse-config.ts";

/** A state machine as its ARN names it. */
export interface StateMachine {
  /** As it was given, with version or alias. */
  readonly arn: string;
  readonly parts: Arn;
  readonly name: string;
}

const example = "arn:aws:states:eu-west-1:123456789012:stateMachine:lookup";

const configSchema = z.strictObject({
  /** May end in `:version` or `:alias`. @default the batch's `agent_state_machine_arn` */
  state_machine_arn: z
    .string()
    .refine((arn) => parseStateMachine(arn) !== undefined, `must be a state machine's ARN, such as ${example}`)
    .optional(),
  output: outputSchema,
  secrets: secretsSchema,
});

/** Settings of the kind `stepfunctions`. */
export type StepFunctionsConfig = z.infer<typeof configSchema>;

/**
 * Reads a stepfunctions agent's config.
 *
 * @throws RowcallError AGENT_INVALID with every problem in `details.problems`
 */
export function parseStepFunctionsConfig(agent: AgentDefinition): StepFunctionsConfig {
  return parseConfig(configSchema, agent, ({ output }) => outputProblems(output));
}

/**
 * The state machine of an agent: its own, else the batch's.
 *
 * @throws RowcallError AGENT_INVALID when neither names one
 */
export function requireStateMachine(
  agent: string,
  { state_machine_arn: own }: Pick<StepFunctionsConfig, "state_machine_arn">,
  ofBatch: string | undefined,
): StateMachine {
  const arn = own ?? ofBatch;
  if (arn === undefined) {
    throw new RowcallError("AGENT_INVALID", `Agent ${agent} names no state machine, and the batch names none either`, {
      hint: "Set state_machine_arn in the agent's config, or agent_state_machine_arn in the batch file.",
    });
  }
  const machine = parseStateMachine(arn);
  if (machine === undefined) {
    throw new RowcallError("AGENT_INVALID", `agent_state_machine_arn is no state machine's ARN: ${arn}`, {
      hint: `It looks like ${example}.`,
    });
  }
  return machine;
}

function parseStateMachine(arn: string): StateMachine | undefined {
  const parts = parseArn(arn);
  // A name with a slash is a map's inside of a state machine, which cannot be started.
  const name = /^stateMachine:([^:/\s]{1,80})(?::[\w-]+(?:\.[\w-]+)*)?$/.exec(parts?.resource ?? "")?.[1];
  if (parts === undefined || name === undefined || parts.service !== "states") return undefined;
  return parts.region === "" || parts.account === "" ? undefined : { arn, parts, name };
}
