import type { AgentDefinition } from "../../core/agent.ts";
import { RowcallError } from "../../core/errors.ts";
import { isJsonObject } from "../../core/json.ts";
import { parseReference, type Registry } from "../../core/registry.ts";
import { sevenSteps as stepsOf, type Step } from "../../engines/aws/seven-steps.ts";
import { sandboxNames, sandboxProfile, statesArn } from "./sandbox-environment.ts";

/** A running replica of the broadband checker. */
export interface Replica {
  /** Such as http://127.0.0.1:40123, without a slash at the end. */
  readonly url: string;
  close(): Promise<void>;
}

// A checkout has its sources among the examples; the published package has it compiled.
const places = ["../../../examples/broadband/site/server.ts", "../../replica/server.js"];

/**
 * Starts the replica on a free loopback port.
 *
 * @throws RowcallError DEPENDENCY_MISSING when this copy of Rowcall has none
 */
export async function startReplica(): Promise<Replica> {
  const place = places.find((path) => path.endsWith(import.meta.url.slice(-3))) ?? "";
  try {
    const { startSite } = (await import(new URL(place, import.meta.url).href)) as { startSite(): Promise<Replica> };
    return await startSite();
  } catch (cause) {
    throw new RowcallError("DEPENDENCY_MISSING", "This copy of Rowcall lacks the replica of the broadband checker", {
      hint: "Install Rowcall again: npm install rowcall",
      cause,
    });
  }
}

/**
 * Publishes the broadband agent and its template from one registry in another, the agent pointed at a replica of its site.
 *
 * @returns the agent as it was published
 */
export async function publishAgent(from: Registry, to: Registry, checkerUrl: string): Promise<AgentDefinition> {
  const agent = await from.agents.resolve({ name: sandboxNames.agent });
  const { template, variables } = agent.config;
  if (typeof template !== "string") {
    throw new RowcallError("AGENT_INVALID", `Agent ${agent.agent_name} names no template`, {
      hint: "The sandbox takes the browser agent that comes with Rowcall.",
    });
  }
  await to.templates.publish(await from.templates.resolve(parseReference(template)));
  const own = isJsonObject(variables) ? variables : {};
  const pointed = { ...agent, config: { ...agent.config, variables: { ...own, checker_url: checkerUrl } } };
  await to.agents.publish(pointed);
  return pointed;
}

/**
 * The seven steps of the original product's documentation with the names of the sandbox.
 *
 * @param topicArn - topic that the batch notifies
 */
export function sevenSteps(topicArn: string): readonly Step[] {
  return stepsOf({
    bucket: sandboxNames.bucket,
    agent: sandboxNames.agent,
    agentMachineArn: statesArn("stateMachine", sandboxNames.agent),
    batchMachineArn: statesArn("stateMachine", sandboxNames.batchMachine),
    topicArn,
    dispatch: "activity",
    s3Options: `--profile ${sandboxProfile} --endpoint-url "$AWS_ENDPOINT_URL_S3"`,
    stepFunctionsOptions: `--profile ${sandboxProfile} --endpoint-url "$AWS_ENDPOINT_URL_SFN"`,
  });
}
