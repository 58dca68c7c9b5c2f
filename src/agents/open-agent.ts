import type { Invoker } from "../core/agent.ts";
import { RowcallError, messageOf } from "../core/errors.ts";
import { readSecrets } from "../core/secrets.ts";
import type { OpenHosted } from "./agent-host.ts";
import { checkAgent, unknownKind } from "./check-agent.ts";
import { maskError, withMask } from "./with-mask.ts";
import { LateError, within } from "./within.ts";

/** Loads the code of a kind when its first agent is opened. */
export type LoadKind = () => Promise<OpenHosted>;

const kinds: Readonly<Record<string, LoadKind>> = {
  browser: async () => (await import("./browser-agent.ts")).openBrowserAgent,
  function: async () => (await import("./function-agent.ts")).openFunctionAgent,
  http: async () => (await import("./http-agent.ts")).openHttpAgent,
  lambda: async () => (await import("./lambda-agent.ts")).openLambdaAgent,
  stepfunctions: async () => (await import("./stepfunctions-agent.ts")).openStepFunctionsAgent,
};

/**
 * Opens an agent of any kind.
 *
 * @throws RowcallError AGENT_UNKNOWN for a kind that there is not, AGENT_INVALID for what `checkAgent` finds,
 * DEPENDENCY_MISSING when a package of the kind is not installed, and what the kind throws
 */
export const openAgent: OpenHosted = createOpener();

/** The opener of agents of the known kinds and of the caller's, which come first and check their settings themselves. */
export function createOpener(own: Readonly<Record<string, OpenHosted>> = {}): OpenHosted {
  const loads = Object.entries(own).map(([kind, open]) => [kind, async () => open] as const);
  const openKind = createOpenAgent({ ...kinds, ...Object.fromEntries(loads) });
  return async (definition, environment) => {
    if (!Object.hasOwn(own, definition.kind)) checkAgent(definition, Object.keys(own));
    return openKind(definition, environment);
  };
}

/** The opener of agents of the kinds in a table. */
export function createOpenAgent(table: Readonly<Record<string, LoadKind>>): OpenHosted {
  return async (definition, environment) => {
    const { kind } = definition;
    const load = Object.hasOwn(table, kind) ? table[kind] : undefined;
    if (load === undefined) throw unknownKind(kind, Object.keys(table));
    const { mask } = readSecrets(definition, environment.secret);
    try {
      const open = await load();
      return withMask(closingInTime(await open(definition, environment)), mask);
    } catch (thrown) {
      throw maskError(missingPackage(thrown, kind) ?? thrown, mask);
    }
  };
}

/** How long an agent may take to let go of what it holds; longer than a browser that must be killed takes. */
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
    {
      hint: `Install it: npm install ${name}`,
      cause: thrown,
      details: { package: name },
    },
  );
}
