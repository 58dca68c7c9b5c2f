import { openStepFunctions } from "../../aws/step-functions.ts";
import { bundledRegistry, type AwsRuns, type Wiring } from "../../app/wire.ts";
import { messageOf, RowcallError } from "../../core/errors.ts";
import type { Problem } from "../../core/schema.ts";
import { joinUri } from "../../core/uri.ts";
import { probeOutput } from "../../runs/output-uri.ts";
import { openReporting } from "../catalog/open-registry.ts";
import type { Finding } from "../print/print-checks.ts";
import { validateAgent, validateTemplate } from "../../app/validate-documents.ts";
import { referenceOf } from "../../core/registry.ts";

/** Whether every agent and template of the registry can be read and is valid. @throws RowcallError when it cannot be listed */
export async function lookAtRegistry(wiring: Wiring): Promise<Finding> {
  const { registries } = wiring;
  const { registry, problems: unreadable } = openReporting(wiring, registries, bundledRegistry);
  const agents = await registry.agents.list();
  const templates = await registry.templates.list();
  const problems = [
    ...unreadable.map(problemOf),
    ...agents.flatMap((agent) => faultOf(() => validateAgent(agent, `agent ${referenceOf(agent)}`))),
    ...templates.flatMap((template) =>
      faultOf(() => validateTemplate(template, `template ${template.template_id}@${template.version}`)),
    ),
  ];
  if (problems.length > 0)
    return { status: "failed", detail: problems.map(({ message }) => message).join("; "), problems };
  const detail = `${agents.length} agents and ${templates.length} templates in ${[...new Set([...registries, bundledRegistry])].join(", ")}`;
  if (agents.length > 0) return { status: "passed", detail };
  const hint = "Name the folder with --registry, or publish an agent: `rowcall agents publish FILE`.";
  return { status: "warning", detail, hint };
}

function faultOf(look: () => unknown): readonly Problem[] {
  try {
    look();
    return [];
  } catch (thrown) {
    return [problemOf(thrown)];
  }
}

function problemOf(thrown: unknown): Problem {
  return { path: "", message: messageOf(thrown), hint: thrown instanceof RowcallError ? thrown.hint : undefined };
}

/** Whether a batch processor on AWS answers, and its bucket takes uploads. @throws RowcallError when one of them does not */
export async function lookAtProcessor(
  { services, host }: Wiring,
  { stateMachineArn, runsUri }: AwsRuns,
): Promise<Finding> {
  const sfn = await openStepFunctions(host.aws, stateMachineArn);
  try {
    for await (const _page of sfn.list()) break;
  } finally {
    sfn.close();
  }
  const uploads = joinUri(runsUri.replace(/^(s3:\/\/[^/]+).*/, "$1"), "uploads", "");
  await probeOutput(services.store, uploads);
  return { status: "passed", detail: `${stateMachineArn} answers, and ${uploads} can be written` };
}
