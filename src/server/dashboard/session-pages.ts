import type { Notice } from "../pages/parts.ts";
import { sessionsPage } from "../pages/sessions-page.ts";
import { endSession } from "../security/session.ts";
import type { Dashboard } from "./dashboard.ts";

const path = "/sessions";

/** The list of the browsers that are signed in, and its buttons. */
export function mountSessionPages({ app, pages, sessions }: Dashboard): void {
  app.get(path, async (c) => {
    const own = c.get("caller")?.session;
    const listed = await sessions.list();
    const notice = noticeOf(c.req.query("did"), listed.filter(({ id }) => id !== own).length);
    return pages.show(c, { ...sessionsPage({ sessions: listed, own }), notice });
  });

  app.post(`${path}/:id/end`, async (c) => {
    const id = c.req.param("id");
    c.set("audited", { action: "endSession", target: id });
    await endSession(sessions, id);
    return c.redirect(`${path}?did=end`, 303);
  });

  app.post(`${path}/end-others`, async (c) => {
    const ended = await sessions.endOthers(c.get("caller")?.session);
    c.set("audited", { action: "endSessions", detail: { ended } });
    return c.redirect(`${path}?did=end-others`, 303);
  });
}

// It says how it is, not what was asked for: others may have signed in meanwhile.
function noticeOf(did: string | undefined, others: number): Notice | undefined {
  if (did === "end") return { tone: "ok", text: "The session has ended." };
  if (did !== "end-others") return undefined;
  if (others === 0) return { tone: "ok", text: "All other sessions have ended." };
  return { tone: "bad", text: "The other sessions have ended; another browser has signed in since." };
}
