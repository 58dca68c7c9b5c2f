import { z } from "zod";
import type { AgentDefinition } from "./agent.ts";
import { RowcallError } from "./errors.ts";
import { createMask, leastSecret, maskText, noMask, type Mask } from "./mask.ts";

/** Names of secrets in an agent's config, the same for every kind. */
export const secretsSchema = z
  .array(z.string().min(1))
  .default([])
  .describe(
    "Names of environment variables that hold secrets, for {{secret.NAME}}; masked in all that is kept or told",
  );

// Whoever may name an agent could have these sent anywhere.
const notForAgents =
  /^(?:ROWCALL_\w+|AWS_(?:ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|\w*AUTHORIZATION_TOKEN\w*))$/i;

/** An agent's secrets. */
export interface Secrets {
  readonly values: Readonly<Record<string, string>>;
  /** The same names, with nothing to see. */
  readonly masked: Readonly<Record<string, string>>;
  readonly mask: Mask;
}

/**
 * Reads the secrets that an agent's config names in `secrets`; an empty one counts as missing.
 *
 * @throws RowcallError SECRET_MISSING with the names of all that are missing, AGENT_INVALID for one that is too short to be masked or
 * that is no agent's
 */
export function readSecrets(
  { agent_name: agent, config }: Pick<AgentDefinition, "agent_name" | "config">,
  secret: (name: string) => string | undefined,
): Secrets {
  const listed = config["secrets"];
  const names = Array.isArray(listed) ? listed.filter((name) => typeof name === "string") : [];
  if (names.length === 0) return { values: {}, masked: {}, mask: noMask };
  const own = names.find((name) => notForAgents.test(name));
  if (own !== undefined) {
    throw new RowcallError(
      "AGENT_INVALID",
      `Agent ${agent} asks for ${own}, which is a key of Rowcall or AWS and no agent's`,
      {
        hint: "Put the secret that the agent needs into a variable of its own.",
      },
    );
  }
  const values = Object.fromEntries(names.map((name) => [name, secret(name) ?? ""]));
  const missing = names.filter((name) => values[name] === "");
  if (missing.length > 0) {
    throw new RowcallError("SECRET_MISSING", `Agent ${agent} needs ${missing.join(", ")}, not set in the environment`, {
      hint: `Set it before the run: export ${missing[0]}=…`,
      details: { missing },
    });
  }
  const short = names.find((name) => (values[name] ?? "").trim().length < leastSecret);
  if (short !== undefined) {
    throw new RowcallError(
      "AGENT_INVALID",
      `The secret ${short} of agent ${agent} has fewer than ${leastSecret} characters`,
      {
        hint: `So short a text stands in every answer and cannot be masked. Use a longer secret, or take ${short} out of "secrets" if it is none.`,
      },
    );
  }
  return {
    values,
    masked: Object.fromEntries(names.map((name) => [name, maskText])),
    mask: createMask(Object.values(values)),
  };
}
