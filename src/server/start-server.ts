import { join } from "node:path";
import process from "node:process";
import { openAudit } from "../app/audit.ts";
import { packageVersion } from "../app/package-version.ts";
import { openEngine, type Wiring } from "../app/wire.ts";
import { createWorkbench } from "../app/workbench.ts";
import { RowcallError } from "../core/errors.ts";
import { createServerApp } from "./app.ts";
import { createDownloads } from "./downloads.ts";
import { uploadsFolder } from "./kept-files.ts";
import { listen, type ListenOptions } from "./listen.ts";
import { isLoopbackHost } from "./security/access.ts";
import { openToken } from "./security/secrets.ts";
import type { ServerSetup } from "./server-setup.ts";
import { removeAbandonedBelow } from "../stores/file-write.ts";
import { noteServing } from "./note-serving.ts";

/** Where and to whom the server answers. */
export interface ServerOptions
  extends
    Pick<ListenOptions, "host" | "port" | "tls">,
    Pick<ServerSetup, "maxUploadBytes" | "maxUploadsBytes" | "keepMs"> {
  readonly wiring: Wiring;
  /** Https address of the proxy that others reach the server through. */
  readonly proxyUrl?: string;
  /** Addresses, or networks such as `10.0.0.0/8`, that the proxy connects from. */
  readonly proxyAddresses?: readonly string[];
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
  requirePrivacy(options);
  const { wiring, host, port, tls, proxyUrl, proxyAddresses = [], maxUploadBytes, maxUploadsBytes, keepMs } = options;
  const { services, dataDirectory } = wiring;
  const isExposed = !isLoopbackHost(host);
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
      version: packageVersion(),
      loopbackOnly: !isExposed && proxyUrl === undefined,
      isSecure: tls !== undefined || proxyUrl !== undefined,
      isProxied: proxyUrl !== undefined,
      maxUploadBytes,
      maxUploadsBytes,
      keepMs,
    });
    const listening = await listen(app.fetch, {
      host,
      port,
      tls,
      from: proxyAddresses.length === 0 ? undefined : proxyAddresses,
    });
    const url = proxyUrl?.replace(/\/$/, "") ?? listening.url;
    const takeBack = await noteServing(dataDirectory, {
      what: "server",
      url: listening.url,
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
        await listening.close(() => Promise.all([close(), takeBack()]));
        await engine.close();
      },
    };
  } catch (thrown) {
    await engine.close();
    throw thrown;
  }
}

/** @throws RowcallError USAGE_INVALID when what others send could be read on the way */
function requirePrivacy({ host, tls, proxyUrl, proxyAddresses = [] }: ServerOptions): void {
  const isInClear = !isLoopbackHost(host) && tls === undefined;
  if (isInClear && proxyUrl === undefined) {
    throw new RowcallError(
      "USAGE_INVALID",
      `Others can reach the server at ${host}, and could read the token on its way`,
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
  if (isInClear && proxyAddresses.length === 0) {
    throw new RowcallError(
      "USAGE_INVALID",
      `Others could go around the proxy at ${host}, and what they send is not encrypted`,
      {
        hint: "Say where the proxy connects from, --proxy-address 10.0.0.7, give --tls-cert and --tls-key too, or leave --host out.",
      },
    );
  }
}
