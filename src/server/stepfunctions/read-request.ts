import { z } from "zod";
import { ApiError, validationError } from "./api-error.ts";

/** Members that many requests have. */
export const members: {
  readonly arn: z.ZodString;
  readonly name: z.ZodString;
  readonly maxResults: z.ZodOptional<z.ZodInt>;
  nextToken(longest: number): z.ZodOptional<z.ZodString>;
} = {
  arn: z.string().min(1).max(256),
  name: z.string().min(1).max(80),
  maxResults: z.int().min(0).max(1000).optional(),
  nextToken: (longest) => z.string().min(1).max(longest).optional(),
};

/**
 * Reads the body of a request; members that the schema does not know are left out, as Step Functions does.
 *
 * @throws ApiError ValidationException with every problem, SerializationException for a member of another type
 */
export function readRequest<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const result = schema.safeParse(body, { reportInput: true });
  if (result.success) return result.data;
  const { issues } = result.error;
  const misfit = issues.find((issue) => issue.code === "invalid_type" && issue.input != null);
  if (misfit?.code === "invalid_type")
    throw new ApiError("SerializationException", `The member '${pathOf(misfit)}' must be of type ${misfit.expected}`);
  const found = issues.length === 1 ? "1 validation error detected" : `${issues.length} validation errors detected`;
  throw validationError(`${found}: ${issues.map(sentence).join("; ")}`);
}

function sentence(issue: z.core.$ZodIssue): string {
  const value = issue.input == null ? "null" : `'${text(issue.input)}'`;
  return `Value ${value} at '${pathOf(issue)}' failed to satisfy constraint: Member must ${constraint(issue)}`;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function constraint(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_value") {
    return issue.input == null ? "not be null" : `satisfy enum value set: [${issue.values.join(", ")}]`;
  }
  if (issue.code === "too_big" || issue.code === "too_small") {
    const [side, bound] = issue.code === "too_big" ? ["less", issue.maximum] : ["greater", issue.minimum];
    const what = issue.origin === "string" ? "length" : "value";
    return `have ${what} ${side} than or equal to ${String(bound)}`;
  }
  return issue.input == null ? "not be null" : issue.message;
}

function pathOf({ path }: z.core.$ZodIssue): string {
  return path.map(String).join(".");
}
