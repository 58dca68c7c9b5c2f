import type { AddressInfo } from "node:net";
import type { Server } from "node:http";
import { fileURLToPath } from "node:url";
import { Hono, type MiddlewareHandler } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import { serveStatic } from "@hono/node-server/serve-static";
import { checkerApi } from "./checker-api.ts";
import { checkerPage, homePage, loginPage, messagePage, portalPage, signOnPage } from "./pages.ts";
import { createSessions } from "./sessions.ts";
import { createSiteState, type LogEntry, type SitePatch, type SiteSettings } from "./site-state.ts";

/** The replica without a port, for `app.request()`. */
export interface SiteApp {
  readonly app: Hono<{ Bindings: HttpBindings }>;
  /** Changes settings at once; see `SiteSettings`. */
  readonly control: (patch: SitePatch) => SiteSettings;
  /** What the checker was asked since the start or the last reset. */
  readonly log: () => readonly LogEntry[];
}

/** A running replica. */
export interface Site extends Omit<SiteApp, "app"> {
  /** Such as http://127.0.0.1:40123, without a slash at the end. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Where to listen, and settings to begin with. */
export interface SiteOptions extends Partial<SiteSettings> {
  /** @default 0, any free port */
  readonly port?: number;
}

const sessionCookie = "totl_session";

/**
 * Builds the replica.
 *
 * @param closing - aborted when the site closes
 */
export function createSiteApp(
  initial: Partial<SiteSettings> = {},
  closing: AbortSignal = new AbortController().signal,
): SiteApp {
  const state = createSiteState(initial);
  const sessions = createSessions();
  const control = (patch: SitePatch): SiteSettings => {
    if (patch.reset === true) sessions.reset();
    return state.change(patch);
  };
  const app = new Hono<{ Bindings: HttpBindings }>();

  app.get("/__control", (c) => c.json(state.settings()));
  app.post("/__control", async (c) => {
    try {
      return c.json(control(await c.req.json<SitePatch>()));
    } catch (error) {
      return c.json({ error: String(error) }, 400);
    }
  });
  app.get("/__log", (c) => c.json(state.log()));
  app.use("/web/*", serveStatic({ root: fileURLToPath(new URL(".", import.meta.url)) }));

  app.use(async (c, next) => {
    if (!state.settings().closed) return next();
    return c.html(
      messagePage(state.settings(), "Unavailable", "The checker is unavailable at the moment. Please try again later."),
      503,
    );
  });
  app.get("/", (c) => c.html(homePage(state.settings())));
  app.get("/public/", (c) => c.html(checkerPage("public", state.settings())));
  app.route("/api/public", checkerApi("public", state, closing));

  app.get("/login", (c) => c.html(loginPage(state.settings(), localPath(c.req.query("return")))));
  app.get("/sso", (c) => c.html(signOnPage(state.settings(), localPath(c.req.query("return")))));
  app.post("/api/login", async (c) => {
    const { user = "", password = "" } = await c.req.json<{ user?: string; password?: string }>();
    state.record({ kind: "login", face: "totl", asked: { user } });
    const answer = sessions.login(user, password);
    if ("token" in answer) setCookie(c, sessionCookie, answer.token, { httpOnly: true, path: "/", sameSite: "Lax" });
    return c.json("token" in answer ? {} : answer, "token" in answer ? 200 : 401);
  });

  const loggedIn = (cookie: string | undefined): boolean => sessions.use(cookie, state.settings().sessionRequests);
  app.get("/portal", (c) =>
    loggedIn(getCookie(c, sessionCookie)) ? c.html(portalPage(state.settings())) : c.redirect("/login?return=/portal"),
  );
  app.get("/bbac-ui/totl/totlSearch/", (c) =>
    loggedIn(getCookie(c, sessionCookie))
      ? c.html(checkerPage("totl", state.settings()))
      : c.redirect(`/login?return=${c.req.path}`),
  );
  const logged: MiddlewareHandler = async (c, next) =>
    loggedIn(getCookie(c, sessionCookie)) ? next() : c.json({ refused: "session" }, 401);
  app.use("/api/totl/*", logged);
  app.route("/api/totl", checkerApi("totl", state, closing));
  app.get("/terms-of-use", (c) =>
    c.html(
      messagePage(
        state.settings(),
        "Terms of Use",
        "Use this replica as you like; every address and value in it is invented.",
      ),
    ),
  );
  app.notFound((c) =>
    c.html(messagePage(state.settings(), "Error 404 - Page Not Found", "There is no page at this address."), 404),
  );

  return { app, control, log: () => state.log() };
}

/** Starts the replica on 127.0.0.1. */
export async function startSite(options: SiteOptions = {}): Promise<Site> {
  const { port = 0, ...initial } = options;
  const closing = new AbortController();
  const { app, control, log } = createSiteApp(initial, closing.signal);
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    control,
    log,
    close: () =>
      new Promise((resolve, reject) => {
        closing.abort();
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

/** Only paths of this site, so that a link to the login cannot lead elsewhere. */
function localPath(asked: string | undefined): string {
  return asked !== undefined && /^\/(?!\/)/.test(asked) ? asked : "/portal";
}
