import { hash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../core/services.ts";
import { isSameSecret } from "./secret.ts";

/** Who begins or uses a session. */
export interface Visitor {
  /** Host and port that the browser names. */
  readonly host: string;
  /** The user whose browser it is, on this machine. */
  readonly user?: number | undefined;
  /** What the browser calls itself. */
  readonly browser?: string | undefined;
}

/** A session as it is shown. */
export interface SessionView extends Visitor {
  /** Tells it from others, and lets nobody in. */
  readonly id: string;
  /** Milliseconds since 1970, UTC. */
  readonly begunAt: number;
}

/** Tells who may come in from who may not. */
export interface Sessions {
  /** Begins the name of the cookie: servers over different data directories share a host, and must not share a cookie. */
  readonly cookie: string;
  readonly longestMs: number;
  isToken(text: string): boolean;
  /** Makes a code that begins one session, within the hour. */
  createCode(): string;
  /** @returns false for a code that was taken, is too old, or never was one */
  takeCode(code: string): boolean;
  /** @returns the value of a new session's cookie */
  begin(visitor: Visitor): Promise<string>;
  /** Whether a session is open, for this host and this user of the machine. */
  isOpen(value: string, visitor: Visitor): Promise<boolean>;
  list(): Promise<readonly SessionView[]>;
  /** @param id - as listed */
  end(id: string): Promise<void>;
}

const day = 24 * 3600 * 1000;
const codeMs = 3600 * 1000;

interface Kept extends Visitor {
  readonly begunAt: number;
  readonly token: string;
}

/** The part of a session's value that may be shown. */
export function sessionId(value: string): string {
  return hash("sha256", value).slice(0, 32);
}

/**
 * Sessions of one token; they end with it. Each is a file in the data directory, so that all servers over it know them, and one that was
 * ended stays so. Their names do not let anybody in.
 */
export function createSessions(token: string, dataDirectory: string, clock: Clock): Sessions {
  const longestMs = 30 * day;
  const mark = hash("sha256", token).slice(0, 8);
  const folder = join(dataDirectory, "sessions");
  const pathOf = (id: string): string => join(folder, `${id}.json`);
  const codes = new Map<string, number>();

  async function find(id: string): Promise<Kept | undefined> {
    try {
      const kept = JSON.parse(await readFile(pathOf(id), "utf8")) as Kept;
      const age = clock() - kept.begunAt;
      return kept.token === mark && age >= 0 && age < longestMs ? kept : undefined;
    } catch {
      return undefined;
    }
  }
  async function list(): Promise<readonly SessionView[]> {
    const names = await readdir(folder).catch(() => []);
    const found: SessionView[] = [];
    for (const name of names) {
      const id = name.replace(/\.json$/, "");
      const kept = await find(id);
      if (kept === undefined) await end(id);
      else found.push({ id, begunAt: kept.begunAt, host: kept.host, user: kept.user, browser: kept.browser });
    }
    return found.toSorted((a, b) => b.begunAt - a.begunAt);
  }
  async function end(id: string): Promise<void> {
    if (/^[\da-f]{32}$/.test(id)) await unlink(pathOf(id)).catch(() => undefined);
  }

  return {
    cookie: `rowcall_${mark}`,
    longestMs,
    isToken: (text) => isSameSecret(text, token),
    createCode: () => {
      const code = randomBytes(24).toString("base64url");
      codes.set(code, clock() + codeMs);
      return code;
    },
    takeCode: (code) => {
      const until = codes.get(code);
      codes.delete(code);
      return until !== undefined && clock() < until;
    },
    begin: async ({ host, user, browser }) => {
      await list();
      const value = randomBytes(32).toString("base64url");
      const kept: Kept = { token: mark, begunAt: clock(), host, user, browser: browser?.slice(0, 200) };
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeFile(pathOf(sessionId(value)), JSON.stringify(kept), { flag: "wx", mode: 0o600 });
      return value;
    },
    isOpen: async (value, { host, user }) => {
      if (!/^[\w-]{43}$/.test(value)) return false;
      const kept = await find(sessionId(value));
      if (kept === undefined || kept.host !== host) return false;
      // A browser sends its cookies to every port of a host: whoever listens at another one gets to know them.
      return kept.user === undefined || user === undefined || kept.user === user;
    },
    list,
    end,
  };
}
