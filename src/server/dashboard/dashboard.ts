import type { Context, Hono } from "hono";
import type { ServerContext, ServerEnv } from "../server-setup.ts";
import type { Pages } from "./show-page.ts";
import type { SurveyCache } from "./survey-cache.ts";
import type { TryRecordings } from "./try-recordings.ts";

/** What the dashboard's pages are made with. */
export interface Dashboard extends ServerContext {
  readonly app: Hono<ServerEnv>;
  readonly pages: Pages;
  readonly surveys: SurveyCache;
  readonly tries: TryRecordings;
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
