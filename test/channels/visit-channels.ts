import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { parseAllowedHosts } from "../../src/agents/allowed-hosts.ts";
import { launchBrowser } from "../../src/agents/browser/chromium/browser-process.ts";
import { findChromium } from "../../src/agents/browser/chromium/chromium.ts";
import { openEgress, type Egress } from "../../src/agents/browser/egress/egress.ts";
import { contextOptions, openSession } from "../../src/agents/browser/page/session.ts";
import { openUpstreamProxy, type UpstreamProxy } from "../fakes/upstream-proxy.ts";
import type { Channel } from "./channel.ts";
import { markupChannels } from "./markup-channels.ts";
import { readNetworkLog } from "./network-log.ts";
import { scriptChannels } from "./script-channels.ts";
import { openChannelSite, type ChannelSite } from "./site.ts";
import { socketChannels } from "./socket-channels.ts";

/** Everything that is tried. */
export const channels: readonly Channel[] = [...markupChannels, ...scriptChannels, ...socketChannels];

/** How the browser is connected: as browsers are, as Rowcall's are, and as those are where the way out is a proxy. */
export type Way = "unprotected" | "default" | "upstream proxy";

/** What came of a visit to the channel page. */
export interface Visit {
  /** Channels by which something reached the forbidden host. */
  readonly leaked: ReadonlySet<string>;
  /** Channels by which something reached the allowed host. */
  readonly reached: ReadonlySet<string>;
  /** Connections and packets that reached the forbidden host, those that named no channel included. */
  readonly forbiddenConnections: number;
  /** By the browser's own log: names that it looked up, and addresses other than the proxy's that it connected or sent to. */
  readonly passedBy: readonly string[];
  /** What the upstream proxy was asked for. */
  readonly askedOfUpstream: readonly string[];
}

/** How long a busy machine may take for the page. */
const limitMs = 180_000;

/**
 * Opens the channel page once and closes everything again.
 *
 * @throws Error when the browser's log does not show that it was kept
 */
export async function visitChannels(way: Way, tried: readonly Channel[] = channels): Promise<Visit> {
  const folder = await mkdtemp(join(tmpdir(), "rowcall-channels-"));
  const site = await openChannelSite(tried);
  const upstream = way === "upstream proxy" ? await openUpstreamProxy() : undefined;
  const allowed = parseAllowedHosts(site.allowedHosts);
  const egress = way === "unprotected" ? undefined : await openEgress(allowed, routes(upstream));
  try {
    const log = join(folder, "network.json");
    const { browser, end } = await launchLogged(folder, log, egress);
    try {
      if (egress === undefined) await visitUnprotected(browser, site, tried);
      else {
        const session = await openSession(await browser.newContext(contextOptions({})), allowed, (work) => work);
        await session.guard(session.tabs.current.page.goto(site.pageUrl, { waitUntil: "commit" }));
        await until(() => tried.every(({ id, reach }) => hasTried(site, id, reach)));
      }
    } finally {
      await end();
    }
    return {
      leaked: site.arrived("forbidden"),
      reached: site.arrived("allowed"),
      forbiddenConnections: site.forbiddenConnections,
      passedBy: egress === undefined ? [] : readNetworkLog(await readFile(log, "utf8"), new URL(egress.proxyUrl).host),
      askedOfUpstream: upstream?.asked ?? [],
    };
  } finally {
    await egress?.close();
    await upstream?.close();
    await site.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The frames for the forbidden host come first: a channel that has reached the allowed one has tried the other. */
function hasTried({ arrived, tried }: ChannelSite, id: string, reach: Channel["reach"]): boolean {
  if (reach === "all") return arrived("allowed").has(id);
  return reach === "none" || tried.has(id) || !id.startsWith("rtc");
}

async function visitUnprotected(browser: Browser, site: ChannelSite, tried: readonly Channel[]): Promise<void> {
  const page = await browser.newPage();
  await page.goto(site.pageUrl, { waitUntil: "commit" });
  await until(() => tried.every(({ id, reach }) => reach === "none" || site.arrived("forbidden").has(id)));
}

/** All of it through the upstream proxy, which stands for what the environment names; there this machine is left out. */
function routes(upstream: UpstreamProxy | undefined): () => { readonly proxy?: URL } {
  return () => (upstream === undefined ? {} : { proxy: new URL(upstream.url) });
}

/** Starts the browser as agents do, with a log of its network in addition. */
async function launchLogged(
  folder: string,
  log: string,
  egress: Egress | undefined,
): Promise<{ readonly browser: Browser; end(): Promise<void> }> {
  const binary = await findChromium({});
  const path = join(folder, "chromium");
  await writeFile(path, `#!/bin/sh\nexec '${binary.path}' '--log-net-log=${log}' "$@"\n`);
  await chmod(path, 0o700);
  return launchBrowser({ ...binary, path }, egress === undefined ? {} : { proxyUrl: egress.proxyUrl });
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!isSo() && performance.now() < deadline) await delay(50);
}
