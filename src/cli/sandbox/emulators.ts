import { once } from "node:events";
import type { IncomingMessage, RequestListener, Server } from "node:http";
import type { AddressInfo } from "node:net";
import type Dynalite from "dynalite";
import type { buildApp as BuildApp } from "fauxqs";
import { messageOf, RowcallError } from "../../core/errors.ts";
import { isSameSecret } from "../../server/security/secrets.ts";

/** Emulators of AWS services on this machine. */
export interface Emulators {
  /** S3, SNS and SQS: `http://127.0.0.1:40123`. */
  readonly url: string;
  readonly dynamodbUrl: string;
  close(): Promise<void>;
}

/** The account that the emulators belong to when nobody says otherwise: the one that AWS's own documentation uses. */
export const emulatedAccount = "123456789012";

/**
 * Starts fauxqs and dynalite on free loopback ports. All they hold is in memory and gone with them.
 *
 * @param region - region of topics and queues
 * @param accessKeyId - requests that do not name it are refused, as those of other users of this machine; the emulators check no
 * signatures, so it has to be a secret. Absent: all are answered
 * @throws RowcallError DEPENDENCY_MISSING when they are not installed: only the sandbox needs them
 */
export async function startEmulators(region: string, accessKeyId?: string): Promise<Emulators> {
  const packages = await loadPackages();
  const [fauxqs, dynalite] = await Promise.all([
    startFauxqs(packages.buildApp, region, accessKeyId),
    startDynalite(packages.dynalite, accessKeyId),
  ]);
  return {
    url: fauxqs.url,
    dynamodbUrl: dynalite.url,
    close: async () => void (await Promise.all([fauxqs.close(), dynalite.close()])),
  };
}

interface Running {
  readonly url: string;
  close(): Promise<void>;
}

interface Packages {
  readonly buildApp: typeof BuildApp;
  readonly dynalite: typeof Dynalite;
}

async function loadPackages(): Promise<Packages> {
  try {
    const [{ buildApp }, { default: dynalite }] = await Promise.all([import("fauxqs"), import("dynalite")]);
    return { buildApp, dynalite };
  } catch (cause) {
    if (!messageOf(cause).startsWith("Cannot find package")) throw cause;
    throw new RowcallError(
      "DEPENDENCY_MISSING",
      "The sandbox needs the packages fauxqs and dynalite, not installed here",
      {
        hint: "Install them: npm install fauxqs@2.4.1 dynalite@4.0.0",
        cause,
      },
    );
  }
}

/** Whether a request names an access key, in its header or, when it is an address that was signed, in its query. */
function names(
  accessKeyId: string | undefined,
  { headers, url = "" }: Pick<IncomingMessage, "headers" | "url">,
): boolean {
  if (accessKeyId === undefined) return true;
  const [, query = ""] = url.split("?");
  const given =
    /Credential=([^/,\s]+)\//.exec(headers.authorization ?? "")?.[1] ??
    new URLSearchParams(query).get("X-Amz-Credential")?.split("/")[0];
  return given !== undefined && isSameSecret(given, accessKeyId);
}

const refusal = JSON.stringify({
  __type: "UnrecognizedClientException",
  message: "The access key is not the sandbox's",
});

async function startFauxqs(
  buildApp: Packages["buildApp"],
  region: string,
  accessKeyId: string | undefined,
): Promise<Running> {
  const app = buildApp({ logger: false, defaultRegion: region });
  const free = createTurns();
  app.addHook("onRequest", async (request, reply) => {
    if (!names(accessKeyId, request.raw)) await reply.code(403).type("application/json").send(refusal);
  });

  // What fauxqs leaves out of S3: a write on the condition that nothing is there. Such writes of one key take turns.
  app.addHook("preHandler", async (request, reply) => {
    if (request.headers["if-none-match"] !== "*" || !["PUT", "POST"].includes(request.method)) return;
    const [path = ""] = request.url.split("?");
    const done = await free.take(path);
    reply.raw.once("close", done);
    const { authorization } = request.headers;
    const headers = authorization === undefined ? {} : { authorization };
    if ((await app.inject({ method: "HEAD", url: path, headers })).statusCode !== 200) return;
    await reply
      .code(412)
      .type("application/xml")
      .send(
        "<Error><Code>PreconditionFailed</Code><Message>At least one of the pre-conditions you specified did not hold</Message><Condition>If-None-Match</Condition></Error>",
      );
  });
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  return { url, close: () => app.close() };
}

/** Turns at things by name, first come first served. */
function createTurns(): { take(name: string): Promise<() => void> } {
  const last = new Map<string, Promise<void>>();
  return {
    take: async (name) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const before = last.get(name);
      last.set(name, promise);
      await before;
      return () => {
        if (last.get(name) === promise) last.delete(name);
        resolve();
      };
    },
  };
}

async function startDynalite(dynalite: Packages["dynalite"], accessKeyId: string | undefined): Promise<Running> {
  const server: Server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  const answers = server.listeners("request") as RequestListener[];
  server.removeAllListeners("request").on("request", (request, response) => {
    if (!names(accessKeyId, request)) response.writeHead(403, { "content-type": "application/json" }).end(refusal);
    else for (const answer of answers) answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
