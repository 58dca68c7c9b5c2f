import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { RowcallError } from "../../core/errors.ts";
import type { Wiring } from "../../app/wire.ts";
import { openAudit } from "../open-audit.ts";
import { noteServing } from "./note-serving.ts";
import { readTls, type TlsFiles } from "./read-tls.ts";

/** Where and to whom the server answers. */
export interface ServerOptions extends TlsFiles {
  readonly wiring: Wiring;
  readonly host: string;
  readonly port: number;
  /** Https address of the proxy that others reach the server through. */
  readonly proxyUrl?: string;
  /** Addresses, or networks such as `10.0.0.0/8`, that the proxy connects from. */
  readonly proxyAddresses?: readonly string[];
  readonly maxUploadBytes?: number;
  readonly maxUploadsBytes?: number;
  readonly keepMs?: number;
}

/** A running server. */
export interface RunningServer {
  /** As others reach it: `http://127.0.0.1:8084`. */
  readonly url: string;
  readonly token: string;
  /** An address that lets a browser in, once and within the hour; every reading makes another. */
  readonly address: string;
  /** Lets rows in flight of its runs finish, and ends. */
  close(): Promise<void>;
}

/**
 * Starts the server over a data directory.
 *
 * @throws RowcallError USAGE_INVALID when others could reach it and what they send could be read on the way; ENDPOINT_BUSY;
 * STORE_DENIED; JOURNAL_UNREADABLE
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { wiring, host, port, proxyUrl } = options;
  const { services, dataDirectory } = wiring;
  const [{ removeAbandonedBelow }, { uploadsFolder }] = await Promise.all([
    import("../../stores/file-write.ts"),
    import("../../server/kept-files.ts"),
  ]);
  const [{ createServerApp }, { createDownloads }, { listen }, { openToken }, { isLoopbackHost }, { mountDashboard }] =
    await Promise.all([
      import("../../server/app.ts"),
      import("../../server/downloads.ts"),
      import("../../server/listen.ts"),
      import("../../server/security/token-file.ts"),
      import("../../server/security/loopback.ts"),
      import("../../server/dashboard/mount-dashboard.ts"),
    ]);
  const [{ openEngine }, { createWorkbench }] = await Promise.all([
    import("../../app/wire.ts"),
    import("../../app/workbench.ts"),
  ]);
  const tls = await readTls(options);
  if (!isLoopbackHost(host) && tls === undefined && proxyUrl === undefined) {
    throw new RowcallError(
      "USAGE_INVALID",
      `At ${host} others can reach the server, and could read the token on its way`,
      {
        hint: "Give --tls-cert and --tls-key, say --behind-proxy and the proxy's https address, or leave --host out.",
      },
    );
  }
  if (proxyUrl !== undefined && !/^https:\/\/[^/]+\/?$/.test(proxyUrl)) {
    throw new RowcallError("USAGE_INVALID", `"${proxyUrl}" is not the https address of a proxy`, {
      hint: "Write --behind-proxy https://rowcall.example.com, without a path.",
    });
  }
  const { proxyAddresses = [] } = options;
  if (!isLoopbackHost(host) && tls === undefined && proxyAddresses.length === 0) {
    throw new RowcallError(
      "USAGE_INVALID",
      `At ${host} others could go around the proxy, and what they send is in clear`,
      {
        hint: "Say where the proxy connects from, --proxy-address 10.0.0.7, give --tls-cert and --tls-key too, or leave --host out.",
      },
    );
  }
  const downloads = createDownloads(services.store);
  const engine = await openEngine({ ...wiring, services: { ...services, store: downloads.store } });
  try {
    const readToken = await openToken(dataDirectory);
    await removeAbandonedBelow(join(dataDirectory, uploadsFolder));
    const { app, close, createCode } = createServerApp({
      engine,
      store: services.store,
      registry: services.registry,
      workbench: createWorkbench(wiring),
      downloads,
      clock: services.clock,
      monotonic: services.monotonic,
      token: readToken,
      audit: openAudit({ dataDirectory, clock: services.clock, stderr: process.stderr }),
      dataDirectory,
      version: await packageVersion(),
      loopbackOnly: isLoopbackHost(host) && proxyUrl === undefined,
      isSecure: tls !== undefined || proxyUrl !== undefined,
      isProxied: proxyUrl !== undefined,
      mountPages: mountDashboard,
      ...(options.maxUploadBytes === undefined ? {} : { maxUploadBytes: options.maxUploadBytes }),
      ...(options.maxUploadsBytes === undefined ? {} : { maxUploadsBytes: options.maxUploadsBytes }),
      ...(options.keepMs === undefined ? {} : { keepMs: options.keepMs }),
    });
    const { url: own, server } = await listen(app.fetch, {
      host,
      port,
      ...(tls === undefined ? {} : { tls }),
      ...(proxyAddresses.length === 0 ? {} : { from: proxyAddresses }),
    });
    const url = proxyUrl?.replace(/\/$/, "") ?? own;
    const isExposed = !isLoopbackHost(host);
    const takeBack = await noteServing(dataDirectory, {
      what: "server",
      url: own,
      isExposed,
      isInClear: isExposed && tls === undefined,
    });
    return {
      url,
      get token() {
        return readToken();
      },
      get address() {
        return `${url}/?code=${createCode()}`;
      },
      close: async () => {
        const closed = new Promise<void>((done) => server.close(() => done()));
        await Promise.all([close(), takeBack()]);
        server.closeAllConnections();
        await closed;
        await engine.close();
      },
    };
  } catch (thrown) {
    await engine.close();
    throw thrown;
  }
}

async function packageVersion(): Promise<string> {
  const text = await readFile(new URL("../../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
