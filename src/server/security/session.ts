import { hash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, stat, unlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RowcallError } from "../../core/errors.ts";
import type { Clock } from "../../core/services.ts";
import { isSameSecret, replaceSecret, serverToken } from "./secrets.ts";

/** Who begins or uses a session. */
export interface Visitor {
  /** Host and port that the browser names. */
  readonly host: string;
  /** The user whose browser it is, on this machine. */
  readonly user?: number | undefined;
  /** What the browser calls itself. */
  readonly browser?: string | undefined;
  /** Address that it comes from. */
  readonly from?: string | undefined;
}

/** A session as it is shown; times are milliseconds since 1970, UTC. */
export interface SessionView {
  /** Tells it from others, and lets nobody in. */
  readonly id: string;
  readonly begunAt: number;
  /** To the minute. */
  readonly usedAt: number;
  readonly expiresAt: number;
  readonly from?: string;
  readonly browser?: string;
}

/** Who was let in. */
export interface Caller {
  /** Id of the session; absent when it was the token that let in. */
  readonly session?: string;
  /** Whether it would still be let in: what takes long asks now and then. */
  isLetIn(): Promise<boolean>;
}

/** The sessions that there are, as those who are let in see them. */
export interface SessionList {
  /** All that are open, the newest first. */
  list(): Promise<readonly SessionView[]>;
  /**
   * @param id - as listed
   * @returns false when there was no such session any more
   */
  end(id: string): Promise<boolean>;
  /**
   * Ends all but one, or all.
   *
   * @returns how many ended
   */
  endOthers(own?: string): Promise<number>;
}

/** Tells who may come in from who may not. */
export interface Sessions extends SessionList {
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
  /** Whether a session is open, for this host and this user of the machine; it is used by that. */
  isOpen(value: string, visitor: Visitor): Promise<boolean>;
}

const day = 24 * 3600 * 1000;
const longestMs = 30 * day;
const codeMs = 3600 * 1000;
// A use within a minute of the last one is not written down.
const useMs = 60 * 1000;

interface Kept extends Visitor {
  readonly begunAt: number;
  readonly token: string;
}

/** The part of a session's value that may be shown. */
export function sessionId(value: string): string {
  return hash("sha256", value).slice(0, 32);
}

function parse(text: string): Kept | undefined {
  try {
    return JSON.parse(text) as Kept;
  } catch {
    return undefined;
  }
}

/**
 * Ends one of the sessions that are listed.
 *
 * @throws RowcallError SESSION_NOT_FOUND
 */
export async function endSession(sessions: SessionList, id: string): Promise<void> {
  if (await sessions.end(id)) return;
  throw new RowcallError("SESSION_NOT_FOUND", `No session "${id}" is signed in`, {
    hint: "It has ended, or never existed. The list of sessions shows those that are signed in.",
  });
}

/**
 * Sessions of one token; they end with it, and so do codes. Each session is a file in the data directory, so that all servers over it
 * know them, and one that was ended stays so. Their names do not let anybody in. The time of a file is that of the session's last use.
 *
 * @param token - reads the token as it is now
 */
export function createSessions(token: () => string, dataDirectory: string, clock: Clock): Sessions {
  const mark = (): string => hash("sha256", token()).slice(0, 8);
  const folder = join(dataDirectory, "sessions");
  const pathOf = (id: string): string => join(folder, `${id}.json`);
  const codes = new Map<string, { readonly until: number; readonly mark: string }>();

  async function find(id: string): Promise<Kept | undefined> {
    const text = await readFile(pathOf(id), "utf8").catch(() => "");
    // Asked for after that: a session of a new token is not taken for one of the token before.
    const now = mark();
    const kept = parse(text);
    const age = clock() - (kept?.begunAt ?? Number.NaN);
    return kept?.token === now && age >= 0 && age < longestMs ? kept : undefined;
  }
  async function ids(): Promise<readonly string[]> {
    return (await readdir(folder).catch(() => [])).map((name) => name.replace(/\.json$/, ""));
  }
  async function list(): Promise<readonly SessionView[]> {
    const found: SessionView[] = [];
    for (const id of await ids()) {
      const kept = await find(id);
      const usedAt = await usedOf(id);
      if (kept === undefined || usedAt === undefined) continue;
      const { begunAt, from, browser } = kept;
      found.push({ id, begunAt, usedAt: Math.max(begunAt, usedAt), expiresAt: begunAt + longestMs, from, browser });
    }
    return found.toSorted((a, b) => b.begunAt - a.begunAt);
  }
  async function usedOf(id: string): Promise<number | undefined> {
    const found = await stat(pathOf(id)).catch(() => undefined);
    return found === undefined ? undefined : Math.round(found.mtimeMs);
  }
  // A file that has gone stays so: a request that was on its way does not bring its session back.
  async function use(id: string): Promise<void> {
    const seconds = clock() / 1000;
    await utimes(pathOf(id), seconds, seconds).catch(() => undefined);
  }
  async function end(id: string): Promise<boolean> {
    if (!/^[\da-f]{32}$/.test(id)) return false;
    return unlink(pathOf(id)).then(
      () => true,
      () => false,
    );
  }

  return {
    get cookie() {
      return `rowcall_${mark()}`;
    },
    longestMs,
    isToken: (text) => isSameSecret(text, token()),
    createCode: () => {
      const code = randomBytes(24).toString("base64url");
      codes.set(code, { until: clock() + codeMs, mark: mark() });
      return code;
    },
    takeCode: (code) => {
      const kept = codes.get(code);
      codes.delete(code);
      return kept !== undefined && clock() < kept.until && kept.mark === mark();
    },
    begin: async ({ host, user, browser, from }) => {
      for (const id of await ids()) if ((await find(id)) === undefined) await end(id);
      const value = randomBytes(32).toString("base64url");
      const kept: Kept = { token: mark(), begunAt: clock(), host, user, browser: browser?.slice(0, 200), from };
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeFile(pathOf(sessionId(value)), JSON.stringify(kept), { flag: "wx", mode: 0o600 });
      await use(sessionId(value));
      return value;
    },
    isOpen: async (value, { host, user }) => {
      if (!/^[\w-]{43}$/.test(value)) return false;
      const id = sessionId(value);
      const kept = await find(id);
      if (kept === undefined || kept.host !== host) return false;
      // A browser sends its cookies to every port of a host: whoever listens at another one gets to know them.
      if (kept.user !== undefined && user !== undefined && kept.user !== user) return false;
      if (Math.abs(clock() - ((await usedOf(id)) ?? 0)) >= useMs) await use(id);
      return true;
    },
    list,
    end,
    endOthers: async (own) => {
      const others = (await list()).filter(({ id }) => id !== own);
      const ended = await Promise.all(others.map(({ id }) => end(id)));
      return ended.filter(Boolean).length;
    },
  };
}

/** What replacing the token did. */
export interface RotatedToken {
  /** File of the new token. */
  readonly file: string;
  readonly sessionsEnded: number;
}

/**
 * Replaces the server's token by a new one. Servers over the data directory let in nobody with the old one from then on; its sessions
 * have ended.
 *
 * @throws RowcallError STORE_NOT_FOUND when there is none; STORE_DENIED
 */
export async function rotateToken(dataDirectory: string, clock: Clock): Promise<RotatedToken> {
  const before = await replaceSecret(dataDirectory, serverToken);
  const sessionsEnded = await createSessions(() => before, dataDirectory, clock).endOthers();
  return { file: join(dataDirectory, serverToken.name), sessionsEnded };
}
