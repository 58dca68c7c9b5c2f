import type { AgentDefinition, Invoker } from "../core/agent.ts";
import { RowcallError, messageOf } from "../core/errors.ts";
import { compileSchema, suggest } from "../core/schema.ts";
import { readSecrets } from "../core/secrets.ts";
import type { OpenHosted } from "./agent-host.ts";
import { parseBrowserConfig } from "./browser/browser-config.ts";
import { parseFunctionConfig } from "./function-agent.ts";
import { parseHttpConfig } from "./http/http-config.ts";
import { parseLambdaConfig } from "./lambda/lambda-config.ts";
import { parseStepFunctionsConfig } from "./stepfunctions/stepfunctions-config.ts";
import { maskError, withMask } from "./with-mask.ts";
import { LateError, within } from "./within.ts";

/** A kind of agent. */
export interface AgentKind {
  /** Reads the settings, so that they can be checked without opening the agent. @default they are checked when it is opened */
  readonly parseConfig?: (agent: AgentDefinition) => unknown;
  /** Loads the code of the kind when its first agent is opened. */
  readonly load: () => Promise<OpenHosted>;
}

/** The kinds there are: a new one is a line here. */
const kinds: Readonly<Record<string, AgentKind>> = {
  browser: {
    parseConfig: parseBrowserConfig,
    load: async () => (await import("./browser-agent.ts")).openBrowserAgent,
  },
  function: {
    parseConfig: parseFunctionConfig,
    load: async () => (await import("./function-agent.ts")).openFunctionAgent,
  },
  http: { parseConfig: parseHttpConfig, load: async () => (await import("./http-agent.ts")).openHttpAgent },
  lambda: { parseConfig: parseLambdaConfig, load: async () => (await import("./lambda-agent.ts")).openLambdaAgent },
  stepfunctions: {
    parseConfig: parseStepFunctionsConfig,
    load: async () => (await import("./stepfunctions-agent.ts")).openStepFunctionsAgent,
  },
};

/**
 * Opens an agent of any kind.
 *
 * @throws RowcallError AGENT_UNKNOWN for a kind that there is not, AGENT_INVALID for what `checkAgent` finds,
 * DEPENDENCY_MISSING when a package of the kind is not installed, and what the kind throws
 */
export const openAgent: OpenHosted = createOpener();

/**
 * Checks all of an agent that can be checked without opening it: its kind, the settings of its kind and its schemas. Opening an
 * agent checks the same first, so that what a file's validation lets pass no plan or run finds wrong.
 *
 * @throws RowcallError AGENT_UNKNOWN, AGENT_INVALID
 */
export function checkAgent(agent: AgentDefinition): void {
  check(agent, kindOf(agent, kinds));
}

/** Returns the opener of agents of the known kinds and of the caller's, which come first and check their settings themselves. */
export function createOpener(own: Readonly<Record<string, OpenHosted>> = {}): OpenHosted {
  const others = Object.entries(own).map(([kind, open]) => [kind, { load: async () => open }] as const);
  return createOpenAgent({ ...kinds, ...Object.fromEntries(others) });
}

/** Returns the opener of agents of the kinds in a table. */
export function createOpenAgent(table: Readonly<Record<string, AgentKind>>): OpenHosted {
  return async (definition, environment) => {
    const kind = kindOf(definition, table);
    if (kind.parseConfig !== undefined) check(definition, kind);
    const { mask } = readSecrets(definition, environment.secret);
    try {
      const open = await kind.load();
      return withMask(closingInTime(await open(definition, environment)), mask);
    } catch (thrown) {
      throw maskError(missingPackage(thrown, definition.kind) ?? thrown, mask);
    }
  };
}

function kindOf({ kind }: AgentDefinition, table: Readonly<Record<string, AgentKind>>): AgentKind {
  const found = Object.hasOwn(table, kind) ? table[kind] : undefined;
  if (found !== undefined) return found;
  const known = Object.keys(table);
  throw new RowcallError("AGENT_UNKNOWN", `Unknown agent kind "${kind}". Use one of: ${known.join(", ")}.`, {
    hint: suggest(kind, known),
    details: { known },
  });
}

function check(agent: AgentDefinition, { parseConfig }: AgentKind): void {
  parseConfig?.(agent);
  const { agent_name: name, input_schema, structured_output } = agent;
  if (input_schema !== undefined) compileSchema(input_schema, `The input_schema of agent ${name}`);
  const { schema } = structured_output;
  if (schema !== undefined) compileSchema(schema, `The structured_output.schema of agent ${name}`);
}

/** Time for an agent to let go of what it holds; longer than a browser that must be killed takes. */
const closeMs = 30_000;

// Whoever closes an agent waits for it: a run, a worker that drains, a server that ends. None of them may wait for ever.
function closingInTime(invoker: Invoker): Invoker {
  const close = invoker.close.bind(invoker);
  return Object.assign(invoker, {
    close: () =>
      within(close(), closeMs).catch((thrown: unknown) => {
        if (!(thrown instanceof LateError)) throw thrown;
      }),
  });
}

function missingPackage(thrown: unknown, kind: string): RowcallError | undefined {
  const name = /^Cannot find package '([^']+)'/.exec(messageOf(thrown))?.[1];
  if (name === undefined) return undefined;
  return new RowcallError(
    "DEPENDENCY_MISSING",
    `Agents of kind "${kind}" need the package ${name}, which is not installed`,
    { hint: `Install it: npm install ${name}`, cause: thrown, details: { package: name } },
  );
}
