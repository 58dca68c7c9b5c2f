import { lookup, type LookupOptions } from "node:dns";
import type { AgentDefinition, AgentInput, InvokeContext, Invoker } from "../core/agent.ts";
import type { HostedEnvironment } from "./agent-host.ts";
import { messageOf } from "../core/errors.ts";
import { createHostGuard } from "../core/host-guard.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import { readSecrets } from "../core/secrets.ts";
import type { Clocks } from "../core/services.ts";
import { readHttpHosts } from "./http/http-hosts.ts";
import { openHttpClient } from "./http/http-client.ts";
import { parseHttpConfig } from "./http/http-config.ts";
import { readReply, type HttpReply, type Shown } from "./http/http-reply.ts";
import { renderRequest, requireSendable } from "./http/http-request.ts";

/**
 * Opens an agent that is a service called over HTTP once for every row.
 *
 * @param clocks - for Retry-After with a date, and for how long a call took
 * @throws RowcallError AGENT_INVALID, SECRET_MISSING
 */
export async function openHttpAgent(
  definition: AgentDefinition,
  environment: HostedEnvironment,
  { clock, monotonic }: Clocks = { clock: Date.now, monotonic: () => performance.now() },
): Promise<Invoker> {
  const config = parseHttpConfig(definition);
  const secrets = readSecrets(definition, environment.secret);
  const hosts = readHttpHosts(config);
  const client = openHttpClient(environment.concurrency, createHostGuard<LookupOptions>(hosts.isNamed, lookup));

  async function invoke(input: AgentInput, { signal, artifacts }: InvokeContext): Promise<JsonValue> {
    const request = renderRequest(config, input, secrets.values);
    const masked = config.secrets.length === 0 ? request : renderRequest(config, input, secrets.masked);
    const shown: Shown = { call: `${request.method} ${masked.url}`, mask: secrets.mask.text };
    const url = requireSendable(request, masked.url);
    hosts.require(url);
    signal.throwIfAborted();
    const startedAt = monotonic();
    const note = (status: "done" | "failed", detail: string): void => {
      artifacts.step({ name: shown.call, status, durationMs: monotonic() - startedAt, detail });
    };
    let reply: HttpReply;
    try {
      reply = await client.send(request, url, shown, signal);
    } catch (thrown) {
      note("failed", messageOf(thrown));
      throw thrown;
    }
    note(reply.status < 400 ? "done" : "failed", `${reply.status} ${reply.statusText}`.trim());
    return readReply(config, reply, shown, clock());
  }

  return {
    invoke,
    targetHost: (input) => hostOf(() => renderRequest(config, input, secrets.values).url),
    preview: (input) => ({ ...renderRequest(config, input, secrets.masked) }) satisfies JsonObject,
    widen: (concurrency) => client.widen(concurrency),
    close: () => client.close(),
  };
}

// A row whose URL cannot be made fails when it is invoked, and needs no rate limit.
function hostOf(render: () => string): string | undefined {
  try {
    return URL.parse(render())?.host;
  } catch {
    return undefined;
  }
}
