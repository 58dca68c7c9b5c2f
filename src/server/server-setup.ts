import type { SecureHeadersVariables } from "hono/secure-headers";
import type { Audit, ShortValues } from "../app/audit.ts";
import type { Engine } from "../core/engine.ts";
import type { Registry } from "../core/registry.ts";
import type { Clocks } from "../core/services.ts";
import type { Workbench } from "../app/workbench.ts";
import type { Downloads } from "./downloads.ts";
import type { RunWatch } from "./run-watch.ts";
import type { RunHost } from "../app/run-host.ts";
import type { Tries } from "./tries.ts";
import type { UploadOptions, Uploads } from "./uploads.ts";
import type { Caller, SessionList } from "./security/session.ts";

/** What a server is made of. */
export interface ServerSetup extends Clocks, UploadOptions {
  /** Made over the store of `downloads`; stays open when the server closes. */
  readonly engine: Engine;
  readonly registry: Registry;
  readonly workbench: Workbench;
  readonly downloads: Downloads;
  /** Reads the server's token as it is now: it may be replaced while the server runs. */
  readonly token: () => string;
  /** Notes what was done. @default nobody does */
  readonly audit?: Audit;
  /** Rowcall's version. */
  readonly version: string;
  /** Answer only requests to a name of this machine itself. @default true */
  readonly loopbackOnly?: boolean;
  /** Whether browsers reach the server by https. @default false */
  readonly isSecure?: boolean;
  /** Whether requests come by way of a proxy, which alone knows where from. @default false */
  readonly isProxied?: boolean;
  /** How long uploads, and answers to requests that may be repeated, are kept, in milliseconds. @default 30 days */
  readonly keepMs?: number;
}

/** What every part of the server reaches its work through. */
export interface ServerContext extends Pick<
  ServerSetup,
  "engine" | "store" | "registry" | "workbench" | "downloads" | "monotonic"
> {
  /** Starts, resumes and reruns runs in this process. */
  readonly runs: RunHost;
  /** The browsers that are signed in. */
  readonly sessions: SessionList;
  /** Live state of runs, of this and other processes. */
  readonly watch: RunWatch;
  readonly tries: Tries;
  readonly uploads: Uploads;
  /** Where results go when a batch names no output. */
  readonly resultsPrefix: string;
}

/** What the audit log is told of a request besides how it came and ended. */
export interface AuditedRequest {
  readonly action: string;
  readonly target?: string;
  readonly detail?: ShortValues;
}

/** Hono's environment: `c.get("secureHeadersNonce")` is the nonce that a script or style of a page must carry. */
export interface ServerEnv {
  readonly Variables: SecureHeadersVariables & {
    /** Who was let in; absent for requests that need nothing to be. */
    readonly caller?: Caller;
    /** Set by who knows better than the address what is done; `reads` when a request changes nothing. */
    readonly audited?: AuditedRequest | "reads";
  };
}
