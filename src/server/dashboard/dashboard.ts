import type { Context, Hono } from "hono";
import type { AgentDefinition } from "../../core/agent.ts";
import type { Engine, RunSurvey } from "../../core/engine.ts";
import { messageOf, RowcallError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { parseReference } from "../../core/registry.ts";
import type { Run } from "../../core/run.ts";
import type { Monotonic } from "../../core/services.ts";
import { readSchemaForm } from "../pages/schema-form.ts";
import type { ServerContext, ServerEnv } from "../server-setup.ts";
import type { Pages } from "./show-page.ts";

/** Surveys of runs, not older than a page needs. */
export interface SurveyCache {
  of(run: Run): Promise<RunSurvey>;
}

interface Kept {
  /** What the run was then; a survey of a run that has ended holds until the run goes on. */
  readonly standing: string;
  readonly survey: Promise<RunSurvey>;
  readonly askedAt: number;
  tookMs: number;
}

const shortestMs = 1000;
const keptRuns = 50;

/**
 * Keeps surveys of running runs for a second, and those that took long for twenty times as long, so that looking at a long run,
 * in however many browsers, costs it at most a twentieth of one processor.
 */
export function createSurveyCache(engine: Engine, monotonic: Monotonic): SurveyCache {
  const kept = new Map<string, Kept>();
  return {
    of: (run) => {
      const { id, status, endedAt, counts } = run;
      const isRunning = status === "running";
      const standing = isRunning ? status : JSON.stringify([status, endedAt, counts]);
      const now = monotonic();
      const before = kept.get(id);
      if (before?.standing === standing) {
        if (!isRunning || now - before.askedAt < Math.max(shortestMs, 20 * before.tookMs)) return before.survey;
      }
      const survey = engine.survey(id);
      const entry: Kept = { standing, survey, askedAt: now, tookMs: Number.POSITIVE_INFINITY };
      survey.then(
        () => (entry.tookMs = monotonic() - now),
        // What failed is asked for again.
        () => kept.delete(id),
      );
      kept.delete(id);
      kept.set(id, entry);
      for (const oldest of [...kept.keys()].slice(0, -keptRuns)) kept.delete(oldest);
      return survey;
    },
  };
}

/** What the dashboard's pages are made with. */
export interface Dashboard extends ServerContext {
  readonly app: Hono<ServerEnv>;
  readonly pages: Pages;
  readonly surveys: SurveyCache;
}

/** A form's text fields in their order; files are left out. */
export async function readForm(c: Context): Promise<URLSearchParams> {
  const fields = new URLSearchParams();
  for (const [name, value] of await c.req.formData()) if (typeof value === "string") fields.append(name, value);
  return fields;
}

/** A text field that was filled in. */
export function filled(fields: URLSearchParams, name: string): string | undefined {
  const text = fields.get(name)?.trim();
  return text === "" ? undefined : text;
}

/** The fields of an address. */
export function queryOf(c: Context): URLSearchParams {
  return new URL(c.req.url).searchParams;
}

/**
 * The input that the form of a try stands for.
 *
 * @throws RowcallError USAGE_INVALID when it was to be JSON and is not
 */
export function readInput(schema: JsonObject | undefined, form: URLSearchParams): JsonObject {
  const json = form.get("json");
  if (json === null) return readSchemaForm(schema, form);
  const hint = 'Write it as {"field": "value"}.';
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new RowcallError("USAGE_INVALID", `The input is not JSON: ${messageOf(cause)}`, { hint, cause });
  }
  if (isJsonObject(value)) return value;
  throw new RowcallError("USAGE_INVALID", "The input is not a JSON object", { hint });
}

/** An agent by reference; undefined when the registry does not have it any more, for a run outlives its agent. */
export async function agentOf({ registry }: Dashboard, reference: string): Promise<AgentDefinition | undefined> {
  return registry.agents.resolve(parseReference(reference)).catch(() => undefined);
}
