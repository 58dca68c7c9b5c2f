import type { AgentDefinition, AgentInput, InvokeContext } from "../../src/core/agent.ts";
import type { Notification } from "../../src/core/channel.ts";
import { machineClocks } from "../../src/runs/machine-clocks.ts";
import { RowcallError } from "../../src/core/errors.ts";
import type { JsonValue } from "../../src/core/json.ts";
import type { ObjectStore } from "../../src/core/object-store.ts";
import type { Services } from "../../src/core/services.ts";

/** What an agent does in a test. */
export type TestInvoke = (input: AgentInput, context: InvokeContext) => Promise<JsonValue>;

/** An agent named `echo` whose output has `field` and `extra`. */
export const echoAgent: AgentDefinition = {
  agent_name: "echo",
  version: "1.2.3",
  status: "active",
  aliases: [],
  kind: "function",
  config: {},
  structured_output: { enabled: true, output_fields: ["field", "extra"] },
  supports_batch_processing: true,
};

/** Services around one agent whose invocations a test defines; notifications are kept in `told`. */
export function createTestServices(options: {
  readonly store: ObjectStore;
  readonly invoke: TestInvoke;
  readonly agent?: AgentDefinition;
  readonly clock?: () => number;
  /** @default the clock that is given */
  readonly monotonic?: () => number;
  readonly told?: Notification[];
  /** Whether the channel `test:` takes nothing now. */
  readonly isDeaf?: () => boolean;
}): Services {
  const agent = options.agent ?? echoAgent;
  const missing = (what: string) => async (): Promise<never> => {
    throw new RowcallError("AGENT_NOT_FOUND", `There is no ${what}`);
  };
  return {
    store: options.store,
    registry: {
      agents: {
        resolve: async ({ name }) => (name === agent.agent_name ? agent : missing(`agent ${name}`)()),
        list: async () => [agent],
        publish: missing("place to publish to"),
        setStatus: missing("place to publish to"),
      },
      templates: {
        resolve: missing("template"),
        list: async () => [],
        publish: missing("place to publish to"),
        setStatus: missing("place to publish to"),
      },
    },
    openAgent: async () => ({
      invoke: options.invoke,
      targetHost: (input) => String(input["field"]),
      close: async () => {},
    }),
    openChannel: async (address) => {
      if (address !== "test:") throw new RowcallError("CHANNEL_UNKNOWN", `No channel ${address}`);
      return {
        notify: async (notification) => {
          if (options.isDeaf?.() === true)
            throw new RowcallError("CHANNEL_FAILED", "Nobody answers", { hint: "Wait for somebody." });
          options.told?.push(notification);
        },
      };
    },
    clock: options.clock ?? machineClocks.clock,
    monotonic: options.monotonic ?? options.clock ?? machineClocks.monotonic,
    random: Math.random,
    baseDirectory: process.cwd(),
  };
}
