import { connect } from "node:net";
import { addAbortSignal } from "node:stream";
import { text } from "node:stream/consumers";
import { z } from "zod";
import type { AgentDefinition, OpenAgent } from "../../src/core/agent.ts";
import { RowcallError } from "../../src/core/errors.ts";
import { isJsonObject, parseJson } from "../../src/core/json.ts";
import { parseWith } from "../../src/core/schema.ts";

/** Where a socket agent's service listens. */
export interface SocketConfig {
  readonly host: string;
  readonly port: number;
}

const configSchema = z.strictObject({
  host: z.string().min(1),
  port: z.int().min(1).max(65_535),
});

/**
 * Reads a socket agent's config.
 *
 * @throws RowcallError AGENT_INVALID with every problem in `details.problems`
 */
export function parseSocketConfig({ agent_name: agent, config }: AgentDefinition): SocketConfig {
  return parseWith(configSchema, config, "AGENT_INVALID", `config of agent ${agent}`);
}

/**
 * Opens an agent that is a service behind a TCP socket. Each row has a connection of its own: a line of JSON is sent, and the service
 * answers with JSON and hangs up.
 *
 * @throws RowcallError AGENT_INVALID
 */
export const openSocketAgent: OpenAgent = async (definition) => {
  const { host, port } = parseSocketConfig(definition);
  return {
    async invoke(input, { signal }) {
      // Destroys the socket when the attempt's time is up, so that the service learns that no one waits any more.
      const socket = addAbortSignal(signal, connect(port, host));
      socket.write(`${JSON.stringify(input)}\n`);
      const answer = parseJson(await text(socket));
      if (isJsonObject(answer) && typeof answer["error"] === "string") {
        throw new RowcallError("AGENT_FAILED", answer["error"]);
      }
      return { structured_output: answer };
    },
    targetHost: () => host,
    preview: (input) => ({ host, port, line: input }),
    // Nothing is kept open between rows.
    close: async () => {},
  };
};
