import { readFile, writeFile } from "node:fs/promises";
import { templateJsonSchema } from "../src/agents/browser/template/template.ts";
import { agentJsonSchema } from "../src/core/agent.ts";
import { batchJsonSchema } from "../src/core/batch-file.ts";
import type { JsonObject } from "../src/core/json.ts";
import { openApiOfCode } from "./openapi.ts";

const folder = new URL("../schemas/", import.meta.url);

const schemas: Readonly<Record<string, () => JsonObject | Promise<JsonObject>>> = {
  "batch.schema.json": batchJsonSchema,
  "agent.schema.json": agentJsonSchema,
  "template.schema.json": templateJsonSchema,
  "openapi.json": openApiOfCode,
};

/** The published JSON Schemas that differ from what the code says, with the text they should have. */
export async function staleSchemas(): Promise<ReadonlyMap<string, string>> {
  const stale = new Map<string, string>();
  for (const [name, schema] of Object.entries(schemas)) {
    const text = `${JSON.stringify(await schema(), null, 2)}\n`;
    const written = await readFile(new URL(name, folder), "utf8").catch(() => undefined);
    if (written !== text) stale.set(name, text);
  }
  return stale;
}

if (import.meta.main) {
  for (const [name, text] of await staleSchemas()) {
    await writeFile(new URL(name, folder), text);
    console.log(`schemas/${name}`);
  }
}
