import { machineClocks } from "../../src/runs/machine-clocks.ts";
import { readFile } from "node:fs/promises";
import type { Hono } from "hono";
import type { Engine } from "../../src/core/engine.ts";
import { createWorkbench } from "../../src/app/workbench.ts";
import { createServerApp, type ServerApp } from "../../src/server/app.ts";
import { createDownloads } from "../../src/server/downloads.ts";
import type { ServerEnv, ServerSetup } from "../../src/server/server-setup.ts";
import { openEngine, wire } from "../../src/app/wire.ts";
import type { Workspace } from "./workspace.ts";

/** The token of a test's server. */
export const testToken = "a-token-of-a-test-that-is-long-enough-to-be-one";

/** A server over a workspace, without a port. */
export interface TestServer extends ServerApp {
  readonly app: Hono<ServerEnv>;
  readonly engine: Engine;
  /** Asks with the token and answers the JSON; the status must be one of success. */
  ask<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** Asks with the token, or with headers of its own. */
  request(path: string, init?: RequestInit): Promise<Response>;
  /** Asks again and again for a run until it stands so. */
  until(run: string, isSo: (run: { status: string; counts: Record<string, number> }) => boolean): Promise<void>;
  end(): Promise<void>;
}

/** Opens a server over a workspace's registry and a data directory in it. */
export async function openTestServer(workspace: Workspace, over: Partial<ServerSetup> = {}): Promise<TestServer> {
  const wiring = wire({ env: {}, workingDirectory: workspace.folder, allowedModules: [] });
  const downloads = createDownloads(wiring.services.store);
  const engine = await openEngine({ ...wiring, services: { ...wiring.services, store: downloads.store } });
  const server = createServerApp({
    engine,
    store: wiring.services.store,
    registry: wiring.services.registry,
    workbench: createWorkbench(wiring),
    downloads,
    ...machineClocks,
    token: () => testToken,
    dataDirectory: wiring.dataDirectory,
    version: "0.0.0",
    ...over,
  });
  const request = async (path: string, init: RequestInit = {}): Promise<Response> =>
    server.app.request(path, {
      ...init,
      headers: { host: "127.0.0.1:8084", authorization: `Bearer ${testToken}`, ...(init.headers as object) },
    });
  const ask = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await request(`/api/v1${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  };
  return {
    ...server,
    engine,
    ask,
    request,
    until: async (run, isSo) => {
      for (;;) {
        const found = await engine.describe(run);
        if (isSo(found as never)) return;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    end: async () => {
      await server.close();
      await engine.close();
    },
  };
}

/** The batch of a workspace, as its file has it. */
export async function batchOf(workspace: Workspace): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(workspace.at("batch.json"), "utf8")) as Record<string, unknown>;
}
