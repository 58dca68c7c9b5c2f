import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { AgentInput, Artifacts, InvokeContext, RecordingLevel } from "../../core/agent.ts";
import type { StepRecord } from "../../core/attempt.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Mask } from "../../core/mask.ts";
import type { Secrets } from "../../core/secrets.ts";
import type { AllowedHosts } from "../allowed-hosts.ts";
import { maskError } from "../with-mask.ts";
import type { BrowserConfig } from "./browser-config.ts";
import { asRowcallError } from "./failures.ts";
import type { WayOut } from "./egress/egress.ts";
import type { BrowserPool } from "./chromium/pool.ts";
import { startRecording } from "./recording/recording.ts";
import { runTemplate } from "./steps/run-template.ts";
import { contextOptions, openSession } from "./page/session.ts";
import type { BrowserTemplate } from "./template/template.ts";

/** Everything that a browser agent makes its attempts with. */
export interface AttemptSetup {
  readonly config: BrowserConfig;
  readonly template: BrowserTemplate;
  readonly secrets: Secrets;
  readonly recording: RecordingLevel;
  readonly allowed: AllowedHosts;
  readonly wayOut: WayOut;
  readonly pool: BrowserPool;
}

/**
 * Makes one attempt: opens a tab in a context of its own, does the template's steps in it, keeps the evidence and closes the context.
 *
 * @throws RowcallError with a row's code; the signal's reason when it is aborted
 */
export async function makeAttempt(setup: AttemptSetup, input: AgentInput, context: InvokeContext): Promise<JsonObject> {
  const { config, template, secrets, allowed, wayOut, pool } = setup;
  const { signal, artifacts } = context;
  const settings = { ...template.session, viewport: config.viewport ?? template.session.viewport };
  const ending = delayAbort(signal);
  return pool.withContext(contextOptions(settings), ending.signal, async (browserContext, promptly) => {
    const session = await openSession(browserContext, allowed, promptly);
    const { tabs } = session;
    const { mask, onStep, conceal, done } = openLog(artifacts, secrets.mask);
    const recording = await startRecording(setup.recording, tabs, artifacts, mask);
    ending.first(() => recording.finish("failure"));
    try {
      const output = await session.guard(
        runTemplate({
          tabs,
          template,
          variables: variablesFor(config, input),
          secrets: secrets.values,
          signal,
          wayOut,
          onStep,
          conceal,
          screenshot: recording.screenshot,
        }),
      );
      const uri = await recording.finish("final");
      return { structured_output: { ...output, ...extraFields(config, context, uri, done()) } };
    } catch (thrown) {
      if (signal.aborted) await ending.over;
      signal.throwIfAborted();
      const error = session.failure ?? asRowcallError(thrown);
      if (error.code !== "BROWSER_CRASHED" && error.code !== "HOST_BLOCKED") await recording.finish("failure");
      throw maskError(error, mask());
    } finally {
      recording.discard();
    }
  });
}

/** The variables of a template for one row: the agent's own, and the row's, which win. */
export function variablesFor(config: BrowserConfig, input: AgentInput): JsonObject {
  const given = Object.entries(input).filter(([, value]) => value !== undefined);
  return { ...config.variables, ...Object.fromEntries(given) };
}

/** The steps of an attempt on their way to its artifacts, without its secrets. */
function openLog(artifacts: Artifacts, secrets: Mask) {
  const typed: string[] = [];
  let done = 0;
  const mask = (): Mask => (typed.length === 0 ? secrets : secrets.and(typed));
  return {
    mask,
    /** Takes a text that was typed for a secret. */
    conceal: (text: string): void => void typed.push(text),
    onStep: ({ name, detail, ...record }: StepRecord): void => {
      const { text } = mask();
      artifacts.step({ ...record, name: text(name), ...(detail === undefined ? {} : { detail: text(detail) }) });
      if (record.status !== "skipped") done += 1;
    },
    /** Returns the number of steps that were done or failed. */
    done: (): number => done,
  };
}

function extraFields(
  { recording_field, metadata_field }: BrowserConfig,
  { runId, row, attempt }: InvokeContext,
  uri: string | undefined,
  num_steps: number,
): JsonObject {
  const metadata = { act_id: `${runId}-${row}-${attempt}`, session_id: `${runId}-${row}`, num_steps };
  return {
    ...(recording_field === undefined ? {} : { [recording_field]: uri ?? null }),
    ...(metadata_field === undefined ? {} : { [metadata_field]: metadata }),
  };
}

/** Time for a last picture once an attempt's time is up. */
const lastPictureMs = 1500;

/** A signal that follows another once something was done first, but not long after. */
function delayAbort(source: AbortSignal) {
  const delayed = new AbortController();
  let work = async (): Promise<unknown> => undefined;
  const onAbort = async (): Promise<void> => {
    await Promise.race([work().catch(() => undefined), delay(lastPictureMs, undefined, { ref: false })]);
    delayed.abort(source.reason);
  };
  const over = once(delayed.signal, "abort");
  if (source.aborted) void onAbort();
  else source.addEventListener("abort", () => void onAbort(), { once: true });
  return {
    signal: delayed.signal,
    /** Settles once the signal is aborted. */
    over,
    /** Sets what is done first. */
    first: (next: () => Promise<unknown>): void => void (work = next),
  };
}
