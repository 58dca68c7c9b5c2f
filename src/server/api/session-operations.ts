import { z } from "zod";
import type { ServerContext } from "../server-setup.ts";
import { endSession } from "../security/session.ts";
import { defineOperation, type Operation } from "./operation.ts";
import { sessionView } from "./schemas.ts";

const tag = "Sessions";
const description =
  "Sessions are browsers that are signed in. Who sends the token has none, and sees and ends those of all browsers, as each of them does.";

/** Lists and ends the sessions of browsers. */
export function sessionOperations({ sessions }: ServerContext): readonly Operation[] {
  const ended = z.object({ ended: z.int().min(0).describe("How many sessions ended") });
  return [
    defineOperation(
      {
        id: "endSession",
        method: "delete",
        path: "/sessions/{id}",
        tag,
        summary: "End a session: its browser has to sign in again",
        description,
        params: z.object({ id: z.string().min(1) }),
        answer: ended,
        errors: ["SESSION_NOT_FOUND"],
      },
      async ({ params: { id } }) => {
        await endSession(sessions, id);
        return { ended: 1 };
      },
    ),
    defineOperation(
      {
        id: "listSessions",
        method: "get",
        path: "/sessions",
        tag,
        summary: "List the browsers that are signed in, newest first",
        description,
        answer: z.object({
          sessions: z.array(sessionView),
          own: z.string().exactOptional().describe("Id of the session that asks; absent for the token"),
        }),
      },
      async ({ context: c }) => {
        const own = c.get("caller")?.session;
        return { sessions: await sessions.list(), ...(own === undefined ? {} : { own }) };
      },
    ),
    defineOperation(
      {
        id: "endSessions",
        method: "delete",
        path: "/sessions",
        tag,
        summary: "End all sessions but the one that asks; asked with the token, all",
        description,
        answer: ended,
      },
      async ({ context: c }) => {
        const many = await sessions.endOthers(c.get("caller")?.session);
        c.set("audited", { action: "endSessions", detail: { ended: many } });
        return { ended: many };
      },
    ),
  ];
}
