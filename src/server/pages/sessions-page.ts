import { html } from "hono/html";
import type { SessionView } from "../security/session.ts";
import { browserName } from "./browser-name.ts";
import { shorten } from "./format.ts";
import { signOutForm, type Page } from "./frame.ts";
import { emptyState, head, moment, scroller, spoken, table, type Html } from "./parts.ts";

/** What the list of sessions shows. */
export interface SessionsView {
  readonly sessions: readonly SessionView[];
  /** Id of the session that looks at it. */
  readonly own?: string;
}

/** The browsers that are signed in, the one that looks first. */
export function sessionsPage({ sessions, own }: SessionsView): Page {
  const sorted = sessions.toSorted((a, b) => Number(b.id === own) - Number(a.id === own) || b.usedAt - a.usedAt);
  return {
    title: "Sessions",
    place: "sessions",
    main: html`<div class="head">
        <h1>Sessions</h1>
        ${
          sessions.some(({ id }) => id !== own) &&
          html`<form class="inline push" method="post" action="/sessions/end-others">
            <button class="bad">${own === undefined ? "End all sessions" : "End all others"}</button>
          </form>`
        }
      </div>
      <p class="soft">
        Every browser that is signed in. A browser whose session you end has to sign in again. Programs that send the token
        have no session: <code>rowcall token rotate</code> locks them out too.
      </p>
      <section class="panel flush" aria-label="Sessions">
        ${
          sorted.length === 0
            ? emptyState("No browser is signed in", "Programs that send the token have no session.")
            : scroller(
                "Table of sessions",
                table(
                  [head("Browser"), head("Last used"), head(spoken("End it"))],
                  sorted.map((session) => line(session, session.id === own)),
                ),
              )
        }
      </section>`,
  };
}

function line({ id, begunAt, usedAt, expiresAt, from, browser }: SessionView, isOwn: boolean): Html {
  const name = browser === undefined ? "A browser that gives no name" : (browserName(browser) ?? shorten(browser, 60));
  return html`<tr ${isOwn && html`class="current"`}>
    <th scope="row" class="break">
      <span title="${browser}">${name}</span> ${isOwn && html`<span class="badge info">This browser</span>`}
      <div class="small soft">${from && html`From ${from} · `}<span class="mono">${id.slice(0, 8)}</span></div>
      <div class="small soft">Signed in ${moment(begunAt)} · expires ${moment(expiresAt)}</div>
    </th>
    <td>${moment(usedAt)}</td>
    <td class="num">
      ${
        isOwn
          ? signOutForm()
          : html`<form method="post" action="/sessions/${id}/end">
              <button class="small bad">End${spoken(` the session of ${name}`)}</button>
            </form>`
      }
    </td>
  </tr>`;
}
