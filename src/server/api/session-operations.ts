import { z } from "zod";
import type { ServerContext } from "../server-setup.ts";
import { endSession } from "../security/session.ts";
import { operation, type Operation } from "./operation.ts";
import { sessionView } from "./schemas.ts";

const description =
  "Sessions are browsers that are signed in. Who sends the token has none, and sees and ends those of all browsers, as each of them does.";

/** Lists and ends the sessions of browsers. */
export function sessionOperations({ sessions }: ServerContext): readonly Operation[] {
  const ended = z.object({ ended: z.int().min(0).describe("How many sessions ended") });
  return [
    operation({
      id: "endSession",
      route: "DELETE /sessions/{id}",
      summary: "End a session: its browser has to sign in again",
      description,
      params: z.object({ id: z.string().min(1) }),
      answer: ended,
      errors: ["SESSION_NOT_FOUND"],
      handle: async ({ params: { id } }) => {
        await endSession(sessions, id);
        return { ended: 1 };
      },
    }),
    operation({
      id: "listSessions",
      route: "GET /sessions",
      summary: "List the browsers that are signed in, newest first",
      description,
      answer: z.object({
        sessions: z.array(sessionView),
        own: z.string().exactOptional().describe("Id of the session that asks; absent for the token"),
      }),
      handle: async ({ context: c }) => ({ sessions: await sessions.list(), own: c.get("caller")?.session }),
    }),
    operation({
      id: "endSessions",
      route: "DELETE /sessions",
      summary: "End all sessions but the one that asks; asked with the token, all",
      description,
      answer: ended,
      handle: async ({ context: c }) => {
        const many = await sessions.endOthers(c.get("caller")?.session);
        c.set("audited", { action: "endSessions", detail: { ended: many } });
        return { ended: many };
      },
    }),
  ];
}
