import { html } from "hono/html";
import { browserName } from "./browser-name.ts";
import { shorten } from "./format.ts";
import { signOutForm, type Html, type Page } from "./frame.ts";
import { emptyState, moment, noticeBox, scroller, type Notice } from "./parts.ts";

/** A browser that is signed in; times are milliseconds since 1970, UTC. */
export interface ListedSession {
  readonly id: string;
  readonly begunAt: number;
  readonly usedAt: number;
  readonly expiresAt: number;
  /** Address that it signed in from. */
  readonly from?: string;
  /** What it calls itself. */
  readonly browser?: string;
}

/** What the list of sessions shows. */
export interface SessionsView {
  readonly sessions: readonly ListedSession[];
  /** Id of the session that looks at it. */
  readonly own?: string;
  readonly notice?: Notice;
}

/** The browsers that are signed in, the one that looks first. */
export function sessionsPage({ sessions, own, notice }: SessionsView): Page {
  const sorted = sessions.toSorted((a, b) => Number(b.id === own) - Number(a.id === own) || b.usedAt - a.usedAt);
  const others = sessions.filter(({ id }) => id !== own);
  return {
    title: "Sessions",
    place: "sessions",
    main: html`${noticeBox(notice)}
      <div class="head">
        <h1>Sessions</h1>
        ${
          others.length === 0
            ? ""
            : html`<form class="inline push" method="post" action="/sessions/end-others">
                <button class="danger">${own === undefined ? "End all sessions" : "End all others"}</button>
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
            : scroller("Table of sessions", table(sorted, own))
        }
      </section>`,
  };
}

function table(sessions: readonly ListedSession[], own: string | undefined): Html {
  return html`<table>
    <thead>
      <tr>
        <th scope="col">Browser</th>
        <th scope="col">Last used</th>
        <th scope="col"><span class="visually-hidden">End it</span></th>
      </tr>
    </thead>
    <tbody>
      ${sessions.map((session) => line(session, session.id === own))}
    </tbody>
  </table>`;
}

function line({ id, begunAt, usedAt, expiresAt, from, browser }: ListedSession, isOwn: boolean): Html {
  const name = nameOf(browser);
  return html`<tr ${isOwn ? html`class="current"` : ""}>
    <th scope="row" class="break">
      <span title="${browser ?? ""}">${name}</span> ${isOwn ? html`<span class="badge info">This browser</span>` : ""}
      <div class="small soft">${from === undefined ? "" : html`From ${from} · `}<span class="mono">${id.slice(0, 8)}</span></div>
      <div class="small soft">Signed in ${moment(begunAt)} · expires ${moment(expiresAt)}</div>
    </th>
    <td>${moment(usedAt)}</td>
    <td class="num">
      ${
        isOwn
          ? signOutForm()
          : html`<form method="post" action="/sessions/${id}/end">
              <button class="small danger">End<span class="visually-hidden"> the session of ${name}</span></button>
            </form>`
      }
    </td>
  </tr>`;
}

function nameOf(browser: string | undefined): string {
  if (browser === undefined) return "A browser that gives no name";
  return browserName(browser) ?? shorten(browser, 60);
}
