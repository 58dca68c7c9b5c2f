import type { AgentDefinition, Invoker } from "../core/agent.ts";
import type { Batch } from "../core/batch.ts";
import { maskAddress } from "../core/channel.ts";
import { messageOf, RowcallError } from "../core/errors.ts";
import type { Problem } from "../core/schema.ts";
import type { Services } from "../core/services.ts";
import { checkBy, checkProblems, checkThrown, createCheck, type Check } from "./check.ts";
import { isOutputFile, probeOutput, requireOutput } from "../runs/output-uri.ts";
import { agentEnvironment, agentProblems, fieldProblems, findAgent } from "../attempt/resolve-agent.ts";
import { referenceOf } from "../core/registry.ts";

/** What the registry says of a batch's agent. */
export interface AgentReport {
  readonly checks: readonly Check[];
  readonly definition?: AgentDefinition;
  /** Fields that become columns, in order; those of the batch while the agent is not known. */
  readonly fields: readonly string[];
}

/** Checks the batch's agent in the registry. */
export async function checkAgent(services: Services, batch: Batch): Promise<AgentReport> {
  const unknown = (registered: Check): AgentReport => {
    const skip = (id: Check["id"]): Check => createCheck(id, "skipped", "The agent is not known");
    return {
      checks: [registered, skip("structured_output_enabled"), skip("output_fields")],
      fields: batch.outputMapping.fields ?? [],
    };
  };
  if (batch.agent.name === "") return unknown(createCheck("agent_registered", "skipped", "The batch names no agent"));
  let definition: AgentDefinition;
  try {
    definition = await findAgent(services, batch);
  } catch (thrown) {
    return unknown(checkThrown("agent_registered", thrown));
  }
  const problems = agentProblems(definition);
  const isEnabling = (path: string): boolean => path === "structured_output.enabled";
  const fields = batch.outputMapping.fields ?? definition.structured_output.output_fields;
  const declared = definition.structured_output.output_fields.length;
  const name = referenceOf(definition);
  return {
    checks: [
      checkProblems(
        "agent_registered",
        problems.filter(({ path }) => !isEnabling(path)),
        `${name}, kind ${definition.kind}`,
      ),
      checkProblems(
        "structured_output_enabled",
        problems.filter(({ path }) => isEnabling(path)),
        `It is true for ${name}`,
      ),
      checkProblems(
        "output_fields",
        fieldProblems(definition, fields),
        declared === 0
          ? `The agent declares none, so all ${fields.length} are taken as they are`
          : `All ${fields.length} are declared by the agent`,
      ),
    ],
    definition,
    fields,
  };
}

/** An agent opened for a look. */
export interface OpenedAgent {
  readonly check: Check;
  /** Who asked closes it. */
  readonly invoker?: Invoker;
}

/** Opens the agent as a run would, for one row at a time and without recordings: kind, settings, template and secrets are all looked at. */
export async function checkOpening(
  services: Services,
  batch: Batch,
  definition: AgentDefinition | undefined,
): Promise<OpenedAgent> {
  if (definition === undefined) return { check: createCheck("agent_opens", "skipped", "The agent is not known") };
  try {
    const environment = { ...agentEnvironment(services, batch), concurrency: 1, recording: "none" as const };
    const invoker = await services.openAgent(definition, environment);
    return { check: createCheck("agent_opens", "passed", `Kind ${definition.kind}`), invoker };
  } catch (thrown) {
    return { check: checkThrown("agent_opens", thrown) };
  }
}

/**
 * Checks that the output is named, is free, and can be written, as well as the place of recordings: an empty object is written
 * there and deleted again.
 */
export async function checkOutput(services: Services, batch: Batch, mayReplace: boolean): Promise<Check> {
  const { output } = batch;
  if (output === undefined) {
    return createCheck(
      "output_accessible",
      "failed",
      "The batch names no output",
      "Give --output, or set output in the batch file.",
    );
  }
  if (output === "-") return createCheck("output_accessible", "passed", "Standard output");
  const { store, clock } = services;
  return checkBy("output_accessible", async () => {
    await requireOutput(store, { inputUri: batch.inputUri, output }, clock(), mayReplace);
    await probeOutput(store, output);
    if (batch.recording.prefix !== undefined) await probeOutput(store, batch.recording.prefix);
    return isOutputFile(output) ? `${output} can be written` : `Files can be written under ${output}`;
  });
}

/** Checks that the batch's notification channels can be opened. One that cannot never keeps a run from running. */
export async function checkChannels(services: Services, { notifications }: Batch): Promise<Check> {
  const { channels, onSuccess, onFailure } = notifications;
  if (!onSuccess && !onFailure) return createCheck("channels", "skipped", "The batch sends no notifications");
  if (channels.length === 0) {
    return createCheck(
      "channels",
      "warning",
      "Notifications are on, and no channel is named",
      'Name one, such as "channels": ["console:"], or set enabled to false.',
    );
  }
  const problems: Problem[] = [];
  for (const address of channels) {
    try {
      const { warning } = await services.openChannel(address);
      if (warning !== undefined) problems.push({ path: "", ...warning });
    } catch (thrown) {
      const hint = thrown instanceof RowcallError ? thrown.hint : undefined;
      problems.push({ path: "", message: messageOf(thrown), ...(hint === undefined ? {} : { hint }) });
    }
  }
  return checkProblems("channels", problems, channels.map(maskAddress).join(", "), "warning");
}
