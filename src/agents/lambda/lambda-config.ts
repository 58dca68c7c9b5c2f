import { z } from "zod";
import type { AgentDefinition } from "../../core/agent.ts";
import { parseArn } from "../../aws/aws.ts";
import type { Problem } from "../../core/schema.ts";
import { secretsSchema } from "../../core/secrets.ts";
import { outputProblems, outputSchema } from "../../core/take-output.ts";
import { parseConfig } from "../parse-config.ts";

const configSchema = z.strictObject({
  function: z
    .string()
    .regex(
      /^(?:(?:arn:[\w-]+:lambda:[\w-]+:)?\d{12}:function:)?[\w-]{1,64}(?::(?:\$LATEST|[\w-]+))?$/,
      "must be a function's name or ARN, such as lookup or arn:aws:lambda:eu-west-1:123456789012:function:lookup",
    ),
  /** @default what the function's name says, else `$LATEST` */
  qualifier: z
    .string()
    .regex(/^(?:\$LATEST|[\w-]{1,128})$/, "must be an alias or a version, such as prod or 3")
    .optional(),
  output: outputSchema,
  secrets: secretsSchema,
});

/** Settings of the kind `lambda`. */
export type LambdaConfig = z.infer<typeof configSchema>;

/**
 * Reads a lambda agent's config.
 *
 * @throws RowcallError AGENT_INVALID with every problem in `details.problems`
 */
export function parseLambdaConfig(agent: AgentDefinition): LambdaConfig {
  return parseConfig(configSchema, agent, (config) => [...qualifierProblems(config), ...outputProblems(config.output)]);
}

function qualifierProblems({ function: name, qualifier }: LambdaConfig): Problem[] {
  const own = /^[\w-]+:(\$LATEST|[\w-]+)$/.exec(name.replace(/^.*:function:/, ""))?.[1];
  if (own === undefined || qualifier === undefined || own === qualifier) return [];
  return [
    {
      path: "qualifier",
      message: `is ${JSON.stringify(qualifier)}, and the function says ":${own}"`,
      hint: "Say it in one place.",
    },
  ];
}

/** The region that a function's ARN names; undefined for a name. */
export function functionRegion({ function: name }: LambdaConfig): string | undefined {
  return parseArn(name)?.region;
}
