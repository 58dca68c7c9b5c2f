import { z } from "zod";
import type { StepRecord } from "./attempt.ts";
import { publicationStatus, semanticVersion, type TemplateDocument } from "./template.ts";
import type { Mask } from "./mask.ts";
import { parseWith } from "./schema.ts";
import type { JsonObject, JsonValue } from "./json.ts";

const jsonObject: z.ZodType<JsonObject> = z.record(z.string(), z.json());

const agentSchema = z.strictObject({
  $schema: z.string().optional(),
  agent_name: z.string().min(1).describe("Unique name, such as broadband-availability-bt-wholesale"),
  version: semanticVersion,
  status: publicationStatus.default("active"),
  aliases: z
    .array(z.string())
    .default([])
    .describe("Other names that resolve to this agent, such as the name with -prod"),
  description: z.string().optional(),
  kind: z.string().describe("How the agent is invoked: browser, function, http, lambda, stepfunctions"),
  config: jsonObject.default({}).describe("Settings of the kind; see the page of the kind"),
  input_schema: jsonObject
    .optional()
    .describe("JSON Schema of the agent's input; every mapped row is checked against it"),
  structured_output: z.strictObject({
    enabled: z.boolean().describe("Must be true for batches"),
    schema_id: z.string().optional(),
    output_fields: z.array(z.string().min(1)).default([]),
    schema: jsonObject.optional().describe("JSON Schema of structured_output; every reply is checked against it"),
  }),
  supports_batch_processing: z.boolean().default(true),
  estimate: z
    .strictObject({
      seconds_per_row: z.number().positive().optional(),
      cost_per_row_usd: z.number().nonnegative().optional(),
    })
    .optional()
    .describe("What one row takes, for plan"),
});

/** An agent: data, resolved by name and version from a registry; snake_case because people and DynamoDB hold it. */
export type AgentDefinition = Readonly<z.output<typeof agentSchema>>;

/** Keys of an agent. */
export const agentKeys = Object.keys(agentSchema.shape);

/**
 * Reads the value of an agent file.
 *
 * @param what - what the value is, for messages: `agent file agents/echo_v1.0.0.json`
 * @throws RowcallError AGENT_INVALID with every problem in `details.problems`
 */
export function parseAgent(value: unknown, what: string): AgentDefinition {
  return parseWith(agentSchema, value, "AGENT_INVALID", what);
}

/** The agent file's JSON Schema, as published for editors. */
export function agentJsonSchema(): JsonObject {
  return z.toJSONSchema(agentSchema, { io: "input" }) as JsonObject;
}

/** What an agent is called with: the mapped row. */
export type AgentInput = JsonObject;

/** Where an attempt keeps what it wants to leave behind. */
export interface Artifacts {
  /**
   * Keeps one file under the attempt's folder. Nothing is replaced: a name that is taken gets a number.
   *
   * @param name - one plain file name, such as `page.html`
   * @returns the file's URI
   * @throws RowcallError AGENT_FAILED when the name is no plain one; STORE_FAILED, STORE_DENIED
   */
  save(name: string, content: Uint8Array, contentType: string): Promise<string>;
  /** Notes one thing that was done. */
  step(record: StepRecord): void;
}

/** What an invoker knows besides the input. */
export interface InvokeContext {
  /** Aborted when the attempt times out or the run is killed; the invoker lets go of what it holds. */
  readonly signal: AbortSignal;
  readonly runId: string;
  /** 0-based index of the row. */
  readonly row: number;
  /** 1-based number of the attempt. */
  readonly attempt: number;
  readonly artifacts: Artifacts;
}

/** An opened agent. */
export interface Invoker {
  /**
   * Runs the agent once.
   *
   * @returns the agent's reply, which should hold `structured_output` in one of the three places that `extractOutput` looks
   * @throws RowcallError with a row's code (`details.retryAfterMs` where the other side named a wait); anything else thrown counts as AGENT_FAILED
   */
  invoke(input: AgentInput, context: InvokeContext): Promise<JsonValue>;
  /** Host that an invocation with this input goes to, for rate limits per host; undefined when there is none. */
  targetHost?(input: AgentInput): string | undefined;
  /** What the agent would do with this input, rendered but not done; `try` shows it. */
  preview?(input: AgentInput): JsonValue;
  /**
   * Whether an invocation outlives the process that began it, as a state machine's execution does. A resumed run makes such an
   * attempt again under its old number, and the invoker must find what it began then by run, row and attempt, and not begin anew.
   * @default false
   */
  readonly outlivesProcess?: boolean;
  /** Takes the agent's secrets out of all that is kept or told of it; absent: it has none. */
  readonly mask?: Mask;
  /** Prepares for more invocations at once than it was opened for; absent: it takes any number. */
  widen?(concurrency: number): void;
  /** Lets go of browsers, sockets and the like; safe to call twice. */
  close(): Promise<void>;
}

/** How much an attempt records. */
export const recordingLevels = ["none", "screenshot", "video", "trace"] as const;
/** One of {@link recordingLevels}. */
export type RecordingLevel = (typeof recordingLevels)[number];

/** What a run, or whoever else opens an agent, says of how it is used. */
export interface AgentEnvironment {
  /** Resolves a template reference `id@version` or `id`. */
  template(reference: string): Promise<TemplateDocument>;
  /** Invocations that will be in flight at once. */
  readonly concurrency: number;
  readonly recording: RecordingLevel;
  /** The batch's `agent_state_machine_arn`, for agents that name no state machine themselves. */
  readonly stateMachineArn?: string;
  /** Told of what is wrong, though the agent works. */
  warn?(message: string, hint: string): void;
}

/** Opens an agent of any kind. */
export type OpenAgent = (definition: AgentDefinition, environment: AgentEnvironment) => Promise<Invoker>;
