import { setTimeout as sleep } from "node:timers/promises";
import { Hono, type Context } from "hono";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { HttpBindings } from "@hono/node-server";
import { searchAddress, type AddressQuery } from "./address-search.ts";
import { resultAnswer, suggestion, type ResultAnswer, type Suggestion } from "./answer.ts";
import { siteData, type Behaviour, type Failure, type Premises } from "./data.ts";
import type { Face, SiteState } from "./site-state.ts";

/** What the page does beside showing the answer. */
export interface Display {
  readonly layout: "original" | "changed";
  readonly cookieBanner: boolean;
}

/** The body of every answer of the checker. */
export type CheckerAnswer =
  | (ResultAnswer & { readonly display: Display })
  | {
      readonly errorId: 0;
      readonly addressMismatch: true;
      readonly addressObjectList: readonly Suggestion[];
      readonly display: Display;
    }
  | { readonly errorId: number }
  | { readonly captcha: "missing" | "wrong" }
  | { readonly blank: true };

type Env = { Bindings: HttpBindings };
type Fields = Readonly<Record<string, string>>;

/**
 * The checker's three questions, under `/api/{face}/`: address-search, address-select and line-search.
 *
 * @param closing - aborted when the site closes, so that no slow answer outlives it
 */
export function checkerApi(face: Face, state: SiteState, closing: AbortSignal): Hono<Env> {
  const api = new Hono<Env>();

  api.post("/address-search", async (c) => {
    const asked = await fieldsOf(c);
    const typed = asked["postCode"] ?? "";
    state.record({ kind: "search", face, asked });
    const behaviour = state.behaviourFor(typed);
    await wait(state.settings().latencyMs + (behaviour.delayMs ?? 0), c.req.raw.signal);
    const captcha = captchaProblem(face, state, behaviour, asked["userCaptcha1"] ?? "");
    if (captcha !== undefined) return c.json<CheckerAnswer>({ captcha });
    const failure = state.nextFailure(typed);
    return failure === undefined ? c.json<CheckerAnswer>(answerTo(queryOf(asked), behaviour, state)) : fail(c, failure);
  });

  api.post("/address-select", async (c) => {
    const asked = await fieldsOf(c);
    state.record({ kind: "select", face, asked });
    await wait(state.settings().latencyMs, c.req.raw.signal);
    const premises = siteData.premises.find(({ ref }) => ref === asked["refNumber"]);
    if (premises === undefined) return c.json<CheckerAnswer>({ errorId: 13 });
    return c.json<CheckerAnswer>(shown(premises, state.behaviourFor(premises.postcode), state));
  });

  api.post("/line-search", async (c) => {
    const asked = await fieldsOf(c);
    state.record({ kind: "line", face, asked });
    await wait(state.settings().latencyMs, c.req.raw.signal);
    const uprn = asked["uprnId"] ?? "";
    if (!/^\d{12}$/.test(uprn)) return c.json<CheckerAnswer>({ errorId: 15 });
    const premises = siteData.premises.find((home) => home.uprn === uprn);
    return c.json<CheckerAnswer>(premises === undefined ? { errorId: 14 } : shown(premises, {}, state));
  });

  async function wait(delayMs: number, asking: AbortSignal): Promise<void> {
    if (delayMs > 0)
      await sleep(delayMs, undefined, { signal: AbortSignal.any([closing, asking]) }).catch(() => undefined);
  }

  return api;
}

function answerTo(query: AddressQuery, behaviour: Behaviour, state: SiteState): CheckerAnswer {
  const answer = searchAddress(query, behaviour, state.settings().seed);
  if (answer.kind === "error") return { errorId: answer.errorId };
  if (answer.kind === "exact") return shown(answer.premises, behaviour, state);
  return {
    errorId: 0,
    addressMismatch: true,
    addressObjectList: answer.premises.map(suggestion),
    display: displayOf(behaviour, state),
  };
}

function shown(premises: Premises, behaviour: Behaviour, state: SiteState): CheckerAnswer {
  const other = siteData.premises.find(({ ref }) => ref === behaviour.answersWith);
  return { ...resultAnswer(other ?? premises), display: displayOf(behaviour, state) };
}

function displayOf(behaviour: Behaviour, state: SiteState): Display {
  return { layout: behaviour.layout ?? state.settings().layout, cookieBanner: behaviour.cookieBanner === true };
}

function captchaProblem(
  face: Face,
  state: SiteState,
  behaviour: Behaviour,
  typed: string,
): "missing" | "wrong" | undefined {
  const { captcha, captchaAnswer } = state.settings();
  if (face === "totl" || !(captcha || behaviour.captcha === true)) return undefined;
  if (typed === "") return "missing";
  return typed === captchaAnswer ? undefined : "wrong";
}

function fail(c: Context<Env>, failure: Failure): Response {
  if (failure === "unavailable") return c.json<CheckerAnswer>({ errorId: 9 });
  if (failure === "blank") return c.json<CheckerAnswer>({ blank: true });
  if (failure === "http-500") return c.text("Internal Server Error", 500);
  c.env.incoming.socket.destroy();
  return RESPONSE_ALREADY_SENT;
}

async function fieldsOf(c: Context<Env>): Promise<Fields> {
  const body: unknown = await c.req.json().catch(() => ({}));
  if (typeof body !== "object" || body === null) return {};
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, String(value)]));
}

function queryOf(asked: Fields): AddressQuery {
  return {
    buildingNumber: asked["buildingNumber"] ?? "",
    buildingName: asked["buildingName"] ?? "",
    streetOrRoad: asked["streetOrRoad"] ?? "",
    town: asked["town"] ?? "",
    postCode: asked["postCode"] ?? "",
  };
}
