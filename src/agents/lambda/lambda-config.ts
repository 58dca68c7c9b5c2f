import { z } from "zod";
import type { AgentDefinition } from "../../core/agent.ts";
import { parseArn } from "../../aws/aws.ts";
import { invalid, parseWith, type Problem } from "../../core/schema.ts";
import { secretsSchema } from "../../core/secrets.ts";
import { outputProblems, outputSchema } from "../../core/take-output.ts";

/** Which function a lambda agent invokes. */
export interface LambdaConfig {
  /** Name, `account:function:name` or ARN; `:alias` or `:version` may follow. */
  readonly function: string;
  /** Alias or version. @default what the function's name says, else `$LATEST` */
  readonly qualifier?: string | undefined;
  /** Where the answer is in what the function answers. @see outputSchema */
  readonly output: string;
  readonly secrets: readonly string[];
}

const configSchema = z.strictObject({
  function: z
    .string()
    .regex(
      /^(?:(?:arn:[\w-]+:lambda:[\w-]+:)?\d{12}:function:)?[\w-]{1,64}(?::(?:\$LATEST|[\w-]+))?$/,
      "must be a function's name or ARN, such as lookup or arn:aws:lambda:eu-west-1:123456789012:function:lookup",
    ),
  qualifier: z
    .string()
    .regex(/^(?:\$LATEST|[\w-]{1,128})$/, "must be an alias or a version, such as prod or 3")
    .optional(),
  output: outputSchema,
  secrets: secretsSchema,
});

/**
 * Reads a lambda agent's config.
 *
 * @throws RowcallError AGENT_INVALID with every problem in `details.problems`
 */
export function parseLambdaConfig({ agent_name: agent, config }: AgentDefinition): LambdaConfig {
  const what = `config of agent ${agent}`;
  const parsed = parseWith(configSchema, config, "AGENT_INVALID", what);
  const problems = [...qualifierProblems(parsed), ...outputProblems(parsed.output)];
  if (problems.length > 0) throw invalid("AGENT_INVALID", what, problems);
  return parsed;
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
