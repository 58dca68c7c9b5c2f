import type { AgentDefinition, Invoker } from "../core/agent.ts";
import { RowcallError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { renderText, variablesOf } from "../core/render.ts";
import { readSecrets } from "../core/secrets.ts";
import type { HostedEnvironment } from "./agent-host.ts";
import { hostsOf, parseAllowedHosts } from "./allowed-hosts.ts";
import { makeAttempt, variablesFor } from "./browser/attempt.ts";
import { parseBrowserConfig, type BrowserConfig } from "./browser/browser-config.ts";
import { sandboxHint } from "./browser/chromium/browser-process.ts";
import { findChromium } from "./browser/chromium/chromium.ts";
import { openEgress } from "./browser/egress/egress.ts";
import { openBrowserPool } from "./browser/chromium/pool.ts";
import { requireSecrets } from "./browser/template/secret-uses.ts";
import { parseTemplate, previewTemplate, startingPage, type BrowserTemplate } from "./browser/template/template.ts";

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
  const requireSandbox = environment.requireSandbox === true;
  const pool = openBrowserPool({
    binary,
    concurrency: environment.concurrency,
    recycleAfterRows: config.recycle_after_rows,
    proxyUrl: egress.proxyUrl,
    requireSandbox,
    onUnsandboxed: (why) => environment.warn?.(`Chromium runs without its sandbox: ${why}`, unsandboxedHint),
  });
  const close = async (): Promise<void> => {
    await pool.close();
    await egress.close();
  };
  if (requireSandbox) {
    // Whether there is one is known when a browser runs, and it is known before the first row.
    await pool
      .withContext({}, new AbortController().signal, async () => undefined)
      .catch(async (thrown: unknown) => {
        await close();
        throw thrown;
      });
  }
  const setup = { config, template, secrets, recording: environment.recording, allowed, wayOut: egress, pool };
  return {
    invoke: (input, context) => makeAttempt(setup, input, context),
    targetHost: (input) => hostOf(template, variablesFor(config, input)),
    preview: (input) => previewTemplate(template, variablesFor(config, input)),
    widen: pool.widen,
    close,
  };
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
    { hint: 'List the hosts that rows may name in "allowed_hosts", or "*" for any.' },
  );
}

function hostOf(template: BrowserTemplate, variables: JsonObject): string | undefined {
  try {
    return URL.parse(startingPage(template, variables))?.host || undefined;
  } catch {
    // The row itself says what is missing when it is invoked.
    return undefined;
  }
}
