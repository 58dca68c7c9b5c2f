import { once } from "node:events";
import type { AgentDefinition, AgentInput, InvokeContext, Invoker } from "../core/agent.ts";
import type { HostedEnvironment } from "./agent-host.ts";
import type { StepRecord } from "../core/attempt.ts";
import { RowcallError } from "../core/errors.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { Mask } from "../core/mask.ts";
import { renderText, variablesOf } from "../core/render.ts";
import { readSecrets } from "../core/secrets.ts";
import { hostsOf, parseAllowedHosts } from "./allowed-hosts.ts";
import { parseBrowserConfig, type BrowserConfig } from "./browser/browser-config.ts";
import { sandboxHint } from "./browser/browser-process.ts";
import { findChromium } from "./browser/chromium.ts";
import { openEgress } from "./browser/egress.ts";
import { asRowcallError } from "./browser/failures.ts";
import { openBrowserPool } from "./browser/pool.ts";
import { startRecording } from "./browser/recording.ts";
import { runTemplate } from "./browser/run-template.ts";
import { requireSecrets } from "./browser/secret-uses.ts";
import { contextOptions, openSession } from "./browser/session.ts";
import { parseTemplate, previewTemplate, startingPage, type BrowserTemplate } from "./browser/template.ts";
import { maskError } from "./with-mask.ts";

/**
 * Opens an agent of the kind `browser`: a template, run in a context of its own for every attempt.
 *
 * @throws RowcallError AGENT_INVALID, TEMPLATE_NOT_FOUND, TEMPLATE_INVALID, CHROMIUM_NOT_FOUND
 */
export async function openBrowserAgent(definition: AgentDefinition, environment: HostedEnvironment): Promise<Invoker> {
  const config = parseBrowserConfig(definition);
  const template = parseTemplate(await environment.template(config.template), `template ${config.template}`);
  requireSecrets(definition.agent_name, config.secrets, template.steps);
  const secrets = readSecrets(definition, environment.secret);
  const allowed = parseAllowedHosts(config.allowed_hosts ?? startingHosts(template, config, definition.agent_name));
  const binary = await findChromium({ explicitPath: environment.chromiumPath, build: config.executable });
  const egress = await openEgress(allowed);
  const pool = openBrowserPool({
    binary,
    concurrency: environment.concurrency,
    recycleAfterRows: config.recycle_after_rows,
    proxyUrl: egress.proxyUrl,
    requireSandbox: environment.requireSandbox === true,
    onUnsandboxed: (why) => environment.warn?.(`Chromium runs without its sandbox: ${why}`, unsandboxedHint),
  });
  const close = async (): Promise<void> => {
    await pool.close();
    await egress.close();
  };
  if (environment.requireSandbox === true) {
    // Whether there is one is known when a browser runs, and it is known before the first row.
    await pool
      .withContext({}, new AbortController().signal, async () => undefined)
      .catch(async (thrown: unknown) => {
        await close();
        throw thrown;
      });
  }

  async function invoke(input: AgentInput, context: InvokeContext): Promise<JsonValue> {
    const variables = variablesFor(config, input);
    const settings = { ...template.session, ...(config.viewport === undefined ? {} : { viewport: config.viewport }) };
    const closing = delayAbort(context.signal);
    return pool.withContext(contextOptions(settings), closing.signal, async (browserContext, promptly) => {
      const session = await openSession(browserContext, allowed, promptly);
      const typed: string[] = [];
      const mask = (): Mask => (typed.length === 0 ? secrets.mask : secrets.mask.and(typed));
      const recording = await startRecording(environment.recording, session.tabs, context.artifacts, mask);
      closing.before(() => recording.finish("failure"));
      const steps: StepRecord[] = [];
      const onStep = ({ name, detail, ...record }: StepRecord): void => {
        const { text } = mask();
        const told = { ...record, name: text(name), ...(detail === undefined ? {} : { detail: text(detail) }) };
        steps.push(told);
        context.artifacts.step(told);
      };
      try {
        const run = runTemplate({
          tabs: session.tabs,
          template,
          variables,
          secrets: secrets.values,
          conceal: (text) => void typed.push(text),
          signal: context.signal,
          wayOut: egress,
          onStep,
          screenshot: recording.screenshot,
        });
        const output = await session.guard(run);
        const uri = await recording.finish("final");
        return { structured_output: { ...output, ...extraFields(config, context, uri, steps) } };
      } catch (thrown) {
        if (context.signal.aborted) await closing.over;
        context.signal.throwIfAborted();
        const error = session.failure ?? asRowcallError(thrown);
        // A failure to record must not hide what went wrong.
        if (error.code !== "BROWSER_CRASHED" && error.code !== "HOST_BLOCKED")
          await recording.finish("failure").catch(() => undefined);
        throw maskError(error, mask());
      } finally {
        recording.discard();
      }
    });
  }

  return {
    invoke,
    targetHost: (input) => hostOf(template, variablesFor(config, input)),
    preview: (input) => previewTemplate(template, variablesFor(config, input)),
    widen: pool.widen,
    close,
  };
}

function variablesFor(config: BrowserConfig, input: AgentInput): JsonObject {
  const given = Object.entries(input).filter(([, value]) => value !== undefined);
  return { ...config.variables, ...Object.fromEntries(given) };
}

const unsandboxedHint = `A site that breaks into it has this user's rights. ${sandboxHint} --require-sandbox makes it an error.`;

/**
 * The hosts that a row may talk to when none is listed: the starting page's, from the agent's own settings alone, so that no
 * cell can name another.
 */
function startingHosts(template: BrowserTemplate, config: BrowserConfig, agent: string): readonly string[] {
  const stand = "cell";
  const used = [...variablesOf(template.starting_page)];
  const own = Object.fromEntries(
    used.map((name) => [name, config.variables[name] ?? template.variables?.[name]?.default ?? stand]),
  );
  const url = URL.parse(renderText(template.starting_page, own));
  if (url !== null && url.host !== "" && !url.host.split(/[.:]/).includes(stand)) return hostsOf(url);
  throw new RowcallError(
    "AGENT_INVALID",
    `The config of agent ${agent} lists no allowed_hosts, and the host of the starting page ${template.starting_page} comes from the row`,
    {
      hint: 'List the hosts that rows may name in "allowed_hosts", or "*" for any.',
    },
  );
}

/** How long a last picture may take once an attempt's time is up. */
const lastPictureMs = 1500;

/** An abort that waits for something to be done first, but not for long. */
interface DelayedAbort {
  readonly signal: AbortSignal;
  /** Settled once the delayed signal is aborted. */
  readonly over: Promise<void>;
  /** Sets what is done before. */
  before(work: () => Promise<unknown>): void;
}

function delayAbort(source: AbortSignal): DelayedAbort {
  const delayed = new AbortController();
  const { promise: over, resolve } = Promise.withResolvers<void>();
  let work: (() => Promise<unknown>) | undefined;
  const onAbort = (): void => {
    const late = AbortSignal.timeout(lastPictureMs);
    const done = Promise.race([work?.().catch(() => undefined), once(late, "abort")]);
    void done.then(() => {
      delayed.abort(source.reason);
      resolve();
    });
  };
  if (source.aborted) onAbort();
  else source.addEventListener("abort", onAbort, { once: true });
  return { signal: delayed.signal, over, before: (next) => (work = next) };
}

function hostOf(template: BrowserTemplate, variables: JsonObject): string | undefined {
  try {
    return URL.parse(startingPage(template, variables))?.host || undefined;
  } catch {
    // The row itself says what is missing when it is invoked.
    return undefined;
  }
}

function extraFields(
  config: BrowserConfig,
  context: InvokeContext,
  uri: string | undefined,
  steps: readonly StepRecord[],
): JsonObject {
  const { runId, row, attempt } = context;
  const metadata = {
    act_id: `${runId}-${row}-${attempt}`,
    session_id: `${runId}-${row}`,
    num_steps: steps.filter((step) => step.status !== "skipped").length,
  };
  return {
    ...(config.recording_field === undefined ? {} : { [config.recording_field]: uri ?? null }),
    ...(config.metadata_field === undefined ? {} : { [config.metadata_field]: metadata }),
  };
}
