import { randomUUID } from "node:crypto";
import { admit } from "../core/admit.ts";
import type { AgentDefinition, AgentInput, Invoker } from "../core/agent.ts";
import type { Attempt } from "../core/attempt.ts";
import type { Batch } from "../core/batch.ts";
import type { JsonValue } from "../core/json.ts";
import { noMask, type Mask } from "../core/mask.ts";
import type { Services } from "../core/services.ts";
import { createExtractor } from "./extract.ts";
import { runAttempt } from "./run-attempt.ts";
import { artifactSaver } from "./attempt-answer.ts";

/** One attempt to make outside a run. */
export interface AttemptRequest {
  readonly batch: Batch;
  readonly definition: AgentDefinition;
  readonly invoker: Invoker;
  /** What stands for the run, where agents ask for it. @default `try` */
  readonly runId?: string;
  /** 0-based index of the row. */
  readonly row: number;
  readonly input: AgentInput;
  /** Prefix of the folder `{row}-1` that artifacts go to. */
  readonly recordingsUri: string;
  /** Aborted to end the attempt. */
  readonly signal?: AbortSignal;
}

/** An attempt and what the agent replied, before anything was made of it. */
export interface WatchedAttempt {
  readonly attempt: Attempt;
  /** Undefined when the agent threw, or replied what is no JSON. */
  readonly reply?: JsonValue;
}

/** Makes one attempt as a run would, remembering the reply. */
export async function attemptRow(services: Services, request: AttemptRequest): Promise<WatchedAttempt> {
  const { batch, definition, invoker, recordingsUri, signal } = request;
  let reply: JsonValue | undefined;
  const watched: Invoker = {
    close: () => invoker.close(),
    mask: invoker.mask,
    invoke: async (input, context) => {
      reply = await invoker.invoke(input, context);
      return reply;
    },
  };
  const attempt = await runAttempt(
    {
      invoker: watched,
      extract: createExtractor(definition),
      // An agent that finds earlier attempts by their run must find none.
      runId: request.runId ?? `try-${randomUUID()}`,
      timeoutMs: batch.execution.timeoutSeconds * 1000,
      clock: services.clock,
      monotonic: services.monotonic,
      saveArtifact: artifactSaver(services.store, recordingsUri),
      signal,
    },
    request.input,
    request.row,
    1,
  );
  return { attempt, ...shown(reply, invoker.mask) };
}

// A reply that cannot be shown is told by the outcome.
function shown(reply: JsonValue | undefined, mask: Mask = noMask): { readonly reply?: JsonValue } {
  try {
    return reply === undefined ? {} : { reply: mask.value(admit(reply, "reply").value) };
  } catch {
    return {};
  }
}
