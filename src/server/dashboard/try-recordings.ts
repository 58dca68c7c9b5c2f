import { randomUUID } from "node:crypto";
import type { Hono } from "hono";
import type { Artifact } from "../../core/attempt.ts";
import { RowcallError } from "../../core/errors.ts";
import type { ObjectStore } from "../../core/object-store.ts";
import { sendObject } from "../send-object.ts";
import type { ServerEnv } from "../server-setup.ts";

/** What tries left behind, as long as the server runs; they belong to no run. */
export interface TryRecordings {
  /** Keeps the files of a try, and tells where each is handed out. */
  keep(artifacts: readonly Artifact[]): (artifact: Artifact) => string;
  mount(app: Hono<ServerEnv>): void;
}

const triesKept = 200;

/** Hands out files of tries, and nothing else of the store. */
export function createTryRecordings(store: ObjectStore): TryRecordings {
  const kept = new Map<string, readonly Artifact[]>();
  return {
    keep: (artifacts) => {
      const id = randomUUID();
      kept.set(id, artifacts);
      for (const oldest of [...kept.keys()].slice(0, -triesKept)) kept.delete(oldest);
      return ({ name }) => `/tries/${id}/${encodeURIComponent(name)}`;
    },
    mount: (app) => {
      app.get("/tries/:id/:name", async (c) => {
        const { id, name } = c.req.param();
        const artifact = kept.get(id)?.find((one) => one.name === name);
        if (artifact !== undefined) return sendObject(c, store, artifact);
        throw new RowcallError("ROW_NOT_FOUND", `No try left a recording "${name}" here`, {
          hint: "Tries are forgotten when the server ends: try again.",
        });
      });
    },
  };
}
